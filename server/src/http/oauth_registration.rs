//! `/oauth/register`: clients register themselves (RFC 7591), and change and remove themselves (RFC 7592).

use super::ApiError;
use super::oauth_answer::{OAuthErrorResponse, open};
use crate::client::Client as Caller;
use crate::flows::oauth_registration::{self, Managed};
use crate::flows::{self};
use crate::state::CoreState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use oidc::error::{ErrorCode, OAuthError};
use serde_json::{Map, Value};
use std::sync::Arc;
use verify::Scheme;
use wire::problem::Code;

/// Registers a client that has an initial access token.
pub(crate) async fn register(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthErrorResponse> {
    is_on(&state)?;
    let token = bearer(&headers)?;
    let metadata = read(&body)?;
    let flow = oauth_registration::register(state, caller, token, metadata);
    let members = flows::run_to_completion(async move { Ok(flow.await) }).await??;
    Ok(open((StatusCode::CREATED, Json(members)).into_response()))
}

/// Shows a client to itself.
pub(crate) async fn show(
    State(state): State<Arc<CoreState>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, OAuthErrorResponse> {
    let (managed, token) = managed(&state, &headers, &id).await?;
    Ok(open(Json(oauth_registration::shown(&state, &managed, &token)).into_response()))
}

/// Replaces a client's metadata.
pub(crate) async fn change(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, OAuthErrorResponse> {
    let (managed, token) = managed(&state, &headers, &id).await?;
    let metadata = read(&body)?;
    let flow = oauth_registration::change(state, caller, managed, token, metadata);
    let members = flows::run_to_completion(async move { Ok(flow.await) }).await??;
    Ok(open(Json(members).into_response()))
}

/// Removes a client.
pub(crate) async fn remove(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, OAuthErrorResponse> {
    let (managed, _) = managed(&state, &headers, &id).await?;
    flows::run_to_completion(oauth_registration::remove(state, caller, managed)).await?;
    Ok(open(StatusCode::NO_CONTENT.into_response()))
}

fn is_on(state: &CoreState) -> Result<(), ApiError> {
    if state.config.settings.oauth.registration {
        return Ok(());
    }
    Err(ApiError::explained(Code::Forbidden, "clients may not register themselves at this site"))
}

async fn managed(state: &CoreState, headers: &HeaderMap, id: &str) -> Result<(Managed, String), OAuthErrorResponse> {
    is_on(state)?;
    let token = bearer(headers)?;
    let managed = oauth_registration::find(state, id, &token).await?;
    // The same for a client that does not exist (RFC 7592, section 2.1).
    let wrong = || OAuthError::new(ErrorCode::InvalidToken, "the token is not the one of this client");
    Ok((managed.ok_or_else(wrong)?, token))
}

fn bearer(headers: &HeaderMap) -> Result<String, OAuthError> {
    match verify::presented(headers) {
        Ok(Some((Scheme::Bearer, token))) => Ok(token.to_owned()),
        _ => Err(OAuthError::new(ErrorCode::InvalidToken, "the request has no bearer token")),
    }
}

fn read(body: &Bytes) -> Result<Map<String, Value>, OAuthError> {
    serde_json::from_slice(body)
        .map_err(|_| OAuthError::new(ErrorCode::InvalidClientMetadata, "the body is not a JSON object"))
}
