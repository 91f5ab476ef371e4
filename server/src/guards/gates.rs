//! What each group of routes asks before its handlers run: cheapest first, and nothing of it asks a
//! database unless it bans.

use super::client::Client;
use super::{body, floods, host, same_origin, sign_in};
use crate::floods::Class;
use crate::http::ApiError;
use crate::state::AppState;
use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

/// Challenge, login and sign-up.
///
/// # Errors
/// What was refused, and why.
pub async fn sign_in_api(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    same_origin::api(&state, &request)?;
    sign_in::check(&state, &client)?;
    let _in_flight = floods::enter(&state, &client, Class::SignIn).await?;
    Ok(next.run(body::read(request).await?).await)
}

/// Everything else below `/api`.
///
/// # Errors
/// What was refused, and why.
pub async fn api(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    same_origin::api(&state, &request)?;
    let _in_flight = floods::enter(&state, &client, Class::Other).await?;
    Ok(next.run(body::read(request).await?).await)
}

/// Pages.
///
/// # Errors
/// What was refused, and why.
pub async fn page(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if let Some(redirect) = host::elsewhere(&state, &request) {
        return Ok(redirect);
    }
    same_origin::page(&request)?;
    let _in_flight = floods::enter(&state, &client, Class::Other).await?;
    Ok(next.run(request).await)
}

/// What anyone may read.
///
/// # Errors
/// `banned`: the request was one too many.
pub async fn public(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let _in_flight = floods::enter(&state, &client, Class::Other).await?;
    Ok(next.run(request).await)
}
