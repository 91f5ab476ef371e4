//! `POST /api/refresh`

use super::{ApiError, delivery};
use crate::client::Client;
use crate::cookies::{self, CookieName};
use crate::dpop;
use crate::flows;
use crate::state::{KeyState, SessionState};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use domain::refresh_token::RefreshToken;
use http::HeaderMap;
use std::sync::Arc;
use tower_cookies::Cookies;
use wire::login::{Delivery, SignedIn};
use wire::problem::Code;
use wire::refresh::RefreshRequest;

/// Rotates both tokens. A program sends its refresh token in the body and gets the new one there.
pub(crate) async fn refresh(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignedIn>, ApiError> {
    let request: RefreshRequest = serde_json::from_slice(&body).map_err(|_| ApiError::new(Code::BadRequest))?;
    let (token, delivery) = match request.refresh_token {
        Some(token) => (Some(token), Delivery::Body),
        None => (refresh_cookie(&state, &headers), Delivery::Cookies),
    };
    let token = token.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let proof = dpop::presented(&headers).map(str::to_owned);
    let issued =
        flows::run_to_completion(flows::refresh::refresh(state.clone(), client, token, proof, delivery)).await?;
    Ok(delivery::deliver(&state, &headers, &cookies, delivery, issued))
}

/// Returns the browser's refresh token: the first value that this server issued.
pub(crate) fn refresh_cookie(state: &KeyState, headers: &HeaderMap) -> Option<String> {
    let now = state.now();
    let read = |token: &str| state.keyring.authentic(now, |macs| RefreshToken::authenticate(&macs.refresh, token));
    let good = |token: &str| read(token).is_some();
    cookies::pick(headers, &state.config, CookieName::Refresh, good)
}
