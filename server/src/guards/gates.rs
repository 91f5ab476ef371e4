//! What each group of routes asks before its handlers run: cheapest first, and nothing of it asks a
//! database unless it bans.

use super::client::Client;
use super::{body, floods, host, known_device, same_origin, sign_in};
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
    Extension(mut client): Extension<Client>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    same_origin::api(&state, &request)?;
    client.known = known_device::find(&state, request.headers());
    sign_in::check(&state, &client)?;
    let _in_flight = floods::enter(&state, &client, client.judged(), Class::SignIn).await?;
    // Many known devices share an address, and an address has its limits all the same.
    let _by_address = match &client.known {
        Some(_) => Some(floods::enter(&state, &client, client.identity, Class::Other).await?),
        None => None,
    };
    request.extensions_mut().insert(client);
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
    let _in_flight = floods::enter(&state, &client, client.identity, Class::Other).await?;
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
    let _in_flight = floods::enter(&state, &client, client.identity, Class::Other).await?;
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
    let _in_flight = floods::enter(&state, &client, client.identity, Class::Other).await?;
    Ok(next.run(request).await)
}
