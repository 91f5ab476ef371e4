//! `POST /api/logout`

use super::ApiError;
use crate::client::Client;
use crate::cookies::{self, CookieName};
use crate::flows;
use crate::guards::proof;
use crate::guards::signed_in::check_page;
use crate::guards::token::PresentedToken;
use crate::state::{KeyState, SessionState};
use axum::Extension;
use axum::extract::State;
use domain::ids::SessionId;
use http::StatusCode;
use http::request::Parts;
use std::sync::Arc;
use tower_cookies::Cookies;

/// Ends the request's session, even with an expired access token, and deletes the cookies. Without a session the answer
/// is the same.
pub(crate) async fn logout(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    parts: Parts,
) -> Result<StatusCode, ApiError> {
    let session = of_access(&state, &parts).await?;
    let refresh = super::refresh::refresh_cookie(&state, &parts.headers);
    flows::run_to_completion(flows::logout::logout(state.clone(), client, session, refresh)).await?;
    cookies::clear(&cookies, &state.config, CookieName::Access);
    cookies::clear(&cookies, &state.config, CookieName::Refresh);
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the access token's session. The token may be expired, but not stolen.
async fn of_access(state: &KeyState, parts: &Parts) -> Result<Option<SessionId>, ApiError> {
    let Some(shown) = PresentedToken::read(state, &parts.headers)? else { return Ok(None) };
    let Some(claims) = state.tokens.verify_signature(&shown.token, state.now()) else { return Ok(None) };
    check_page(&parts.headers, &claims)?;
    match proof::of_presented(state, parts, &shown, &claims).await? {
        Some(_) => Ok(Some(claims.sid.clone())),
        None if shown.scheme.is_none() => Ok(None),
        None => Err(PresentedToken::refusal(state, Some(&shown))),
    }
}
