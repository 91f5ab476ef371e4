//! Limits on how much one address asks at once.

use super::client::Client;
use crate::floods::Class;
use crate::flows;
use crate::http::ApiError;
use crate::state::AppState;
use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

/// # Errors
/// `banned`: the request was one too many.
pub async fn sign_in(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    guard(&state, &client, Class::SignIn, request, next).await
}

/// # Errors
/// `banned`: the request was one too many.
pub async fn other(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    guard(&state, &client, Class::Other, request, next).await
}

async fn guard(
    state: &AppState,
    client: &Client,
    class: Class,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    match state.floods.enter(client.identity, class, state.now()) {
        Ok(_in_flight) => Ok(next.run(request).await),
        Err(flood) => Err(flows::ban::flood(state, client, flood).await),
    }
}
