//! `/api/account/second-factors`, `/api/account/totp`, `/api/account/recovery-codes`, `/api/account/confirm`

use super::{ApiError, request};
use crate::client::Client;
use crate::flows::sealed::SealedMessage;
use crate::flows::{self, factors};
use crate::guards::signed_in::{SealedCaller, SignedIn};
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::State;
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use wire::paths;
use wire::second_factor::{FirstCode, NewTotp, RecoveryCodes, SecondFactors};

pub async fn list(State(state): State<AppState>, session: SignedIn) -> Result<Json<SecondFactors>, ApiError> {
    factors::list(&state, &session).await.map(Json)
}

/// Makes a generator of one-time codes that waits for its first code.
pub async fn begin_totp(
    State(state): State<AppState>,
    session: SignedIn,
    body: Bytes,
) -> Result<(StatusCode, Json<NewTotp>), ApiError> {
    request::nothing(&body)?;
    Ok((StatusCode::CREATED, Json(factors::begin_totp(&state, &session).await?)))
}

/// Puts it into use.
pub async fn confirm_totp(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    body: Bytes,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let first: FirstCode = request::body(&body)?;
    flows::run_to_completion(async move { factors::confirm_totp(&state, &client, &session, &first).await })
        .await
        .map(Json)
}

pub async fn remove_totp(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    session: SignedIn,
) -> Result<StatusCode, ApiError> {
    flows::run_to_completion(async move { factors::remove_totp(&state, &client, &session).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new set of recovery codes.
pub async fn recovery_codes(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    body: Bytes,
) -> Result<(StatusCode, Json<RecoveryCodes>), ApiError> {
    request::nothing(&body)?;
    let made =
        flows::run_to_completion(async move { factors::recovery_codes(&state, &client, &session).await }).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Proves the person again in a live session.
pub async fn confirm(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    SealedCaller(session): SealedCaller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let sealed = SealedMessage::read(&state, paths::CONFIRM, &headers, body)?;
    flows::run_to_completion(flows::password::confirm(state, client, session, sealed)).await?;
    Ok(StatusCode::NO_CONTENT)
}
