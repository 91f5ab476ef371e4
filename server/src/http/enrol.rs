//! Redirects for a signed-in person who lacks a required second factor: to its proof, or to the page that sets one up.

use super::ApiError;
use crate::flows;
use crate::guards::factor_policy::{self, MissingFactor};
use crate::guards::signed_in::SignedIn;
use crate::state::CoreState;
use app::view::{EnrolView, Viewer};
use domain::percent::query_value;
use domain::second_factor::Requirement;
use http::Uri;
use wire::paths;
use wire::problem::Code;

/// The `why` of a sign-in page for a person who must prove a second factor.
pub(super) const FACTOR: &str = "factor";
/// The part of a URL that carries the requirement of an app.
pub(super) const PARAMETER: &str = "factor";

/// Returns the page that a signed-in person must visit before this one, if any.
///
/// # Errors
/// The store fails.
pub(super) async fn required_page(
    state: &CoreState,
    session: &SignedIn,
    here: &Uri,
) -> Result<Option<String>, ApiError> {
    Ok(factor_policy::missing(state, &session.claims).await?.map(|missing| path_of(missing, here)))
}

/// As [`required_page`], with the requirement of an app.
///
/// # Errors
/// The store fails.
pub(super) async fn required_page_for_app(
    state: &CoreState,
    session: &SignedIn,
    required: Requirement,
    here: &Uri,
) -> Result<Option<String>, ApiError> {
    let missing = factor_policy::missing_for(state, &session.claims, required).await?;
    Ok(missing.map(|missing| path_of(missing, here)))
}

/// Returns the page that helps the person, and leads back to `here` afterwards.
pub(super) fn path_of(missing: MissingFactor, here: &Uri) -> String {
    path_from(missing, here.path_and_query().map_or(paths::DASHBOARD_PAGE, |path| path.as_str()))
}

/// As [`path_of`], from a path with its query.
pub(super) fn path_from(missing: MissingFactor, here: &str) -> String {
    let next = query_value(here);
    if missing.is_for_sign_in() {
        format!("{}?next={next}&why={FACTOR}", paths::LOGIN_PAGE)
    } else {
        format!("{}?next={next}&{PARAMETER}={}", paths::ENROL_PAGE, missing.required.as_str())
    }
}

/// Returns the parameter that carries the requirement of an app on redirects to the portal.
pub(super) fn parameter(required: Requirement) -> Option<&'static str> {
    (required > Requirement::Optional).then(|| required.as_str())
}

/// Loads the page that sets a second factor up. `None`: nothing is missing. `by_app`: the requirement of an app.
///
/// # Errors
/// The session has ended; the store fails.
pub(super) async fn load(
    state: &CoreState,
    session: &SignedIn,
    viewer: Viewer,
    by_app: Option<&str>,
    next: &str,
) -> Result<Option<EnrolView>, ApiError> {
    let claims = &session.claims;
    let row = state.store.session(&claims.sid).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let by_account = factor_policy::of_account(state, &row.user, row.role).await?;
    let required = by_app.and_then(Requirement::parse).unwrap_or_default().max(by_account);
    let Some(missing) = factor_policy::lacks(state, &row, required).await? else { return Ok(None) };
    let sign_in = format!("{}?next={}&why={FACTOR}", paths::LOGIN_PAGE, query_value(next));
    Ok(Some(EnrolView {
        viewer,
        by_app: by_account < required,
        passkey: required == Requirement::Passkey,
        passkeys: flows::passkeys::list(state, &claims.sub).await?,
        factors: flows::factors::list(state, session).await?,
        sign_in: missing.can_be_proven().then_some(sign_in),
    }))
}
