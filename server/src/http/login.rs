//! `POST /api/login`, and `POST /api/authenticate` for programs

use super::{ApiError, delivery, request};
use crate::client::Client;
use crate::flows;
use crate::flows::sealed::SealedMessage;
use crate::state::{AppState, SessionState};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::HeaderMap;
use std::sync::Arc;
use tower_cookies::Cookies;
use wire::login::{Delivery, SignedIn, TerminalSignIn};
use wire::paths;

pub(crate) async fn login(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignedIn>, ApiError> {
    let sealed = SealedMessage::read(&state, paths::LOGIN, &headers, body)?;
    let delivery = sealed.request.delivery;
    let issued =
        flows::run_to_completion(flows::login::login(state.clone(), client, sealed)).await.inspect_err(|error| {
            delivery::choose_device(&state, &headers, &cookies, error);
        })?;
    Ok(delivery::deliver(&state, &headers, &cookies, delivery, issued))
}

/// Finishes a sign-in that waits for its second factor.
pub(crate) async fn second_factor(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignedIn>, ApiError> {
    let sealed = SealedMessage::read(&state, paths::SECOND_FACTOR, &headers, body)?;
    let delivery = sealed.request.delivery;
    let answered = flows::run_to_completion(flows::second_factor::answer(state.clone(), client, sealed)).await;
    let issued = answered.inspect_err(|error| delivery::choose_device(&state, &headers, &cookies, error))?;
    Ok(delivery::deliver(&state, &headers, &cookies, delivery, issued))
}

/// Like login, for programs: the tokens are always in the body.
pub(crate) async fn authenticate(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignedIn>, ApiError> {
    let mut sealed = SealedMessage::read(&state, paths::AUTHENTICATE, &headers, body)?;
    sealed.request.delivery = Delivery::Body;
    let issued = flows::run_to_completion(flows::login::login(state.clone(), client, sealed)).await?;
    Ok(delivery::deliver(&state, &headers, &cookies, Delivery::Body, issued))
}

/// Begins a session of the terminal program, for which a person agreed in a browser.
pub(crate) async fn terminal(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignedIn>, ApiError> {
    let request: TerminalSignIn = request::body(&body)?;
    let issued =
        flows::run_to_completion(flows::terminal_login::begin(state.clone(), client, headers.clone(), request)).await?;
    Ok(delivery::deliver(&state, &headers, &cookies, Delivery::Body, issued))
}
