//! Challenge, login and sign-up are closed to addresses that a sign-in ban closes.

use super::client::Client;
use crate::http::ApiError;
use crate::state::AppState;
use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::ban::Scope;

/// # Errors
/// `banned`, with the time left.
pub async fn guard(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let now = state.now();
    match state.bans.closed(client.identity, Scope::SignIn, now) {
        Some(closed) => Err(ApiError::banned(closed, now)),
        None => Ok(next.run(request).await),
    }
}
