//! `POST /api/password`, `POST /api/reset`, `POST /api/account/delete`, `GET /.well-known/change-password`

use super::{ApiError, delivery, request};
use crate::client::Client;
use crate::cookies::{self, CookieName};
use crate::flows;
use crate::flows::sealed::SealedMessage;
use crate::guards::signed_in::SealedCaller;
use crate::state::AppState;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Redirect;
use http::{HeaderMap, StatusCode};
use tower_cookies::Cookies;
use wire::account::ForgottenPassword;
use wire::paths;
use wire::problem::Code;

/// Leads to the page where people change their password (W3C, A Well-Known URL for Changing Passwords). The page itself
/// leads to sign-in and back.
pub(crate) async fn change_page() -> Redirect {
    Redirect::to(paths::ACCOUNT_PAGE)
}

/// Changes the person's password; every other session ends.
pub(crate) async fn change(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    SealedCaller(session): SealedCaller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let sealed = SealedMessage::read(&state, paths::PASSWORD, &headers, body)?;
    flows::run_to_completion(flows::password::change(state, client, session, sealed)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a password by a one-time link.
pub(crate) async fn reset(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let sealed = SealedMessage::read(&state, paths::RESET, &headers, body)?;
    flows::run_to_completion(flows::reset::reset(state, client, sealed)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails a link that sets a forgotten password. The answer is the same for every name.
pub(crate) async fn forgotten(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let request: ForgottenPassword = request::body(&body)?;
    if state.mailer.is_none() {
        return Err(ApiError::new(Code::NotFound));
    }
    flows::forgotten::ask(state, client, request.account);
    Ok(StatusCode::ACCEPTED)
}

/// Deletes the person's account with all personal data.
pub(crate) async fn delete(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    SealedCaller(session): SealedCaller,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let sealed = SealedMessage::read(&state, paths::ACCOUNT_DELETE, &headers, body)?;
    let name = session.claims.preferred_username.clone();
    flows::run_to_completion(flows::password::delete(state.clone(), client, session, sealed)).await?;
    cookies::clear(&cookies, &state.config, CookieName::Access);
    cookies::clear(&cookies, &state.config, CookieName::Refresh);
    delivery::forget_devices(&state, &headers, &cookies, &name);
    Ok(StatusCode::NO_CONTENT)
}
