//! `/api/account/second-factors`, `/api/account/totp`, `/api/account/recovery-codes`, `/api/account/confirm`

use super::{ApiError, request};
use crate::client::Client;
use crate::flows::sealed::SealedMessage;
use crate::flows::{self, factors, remembered_devices};
use crate::guards::signed_in::{SealedCaller, SignedIn};
use crate::state::{AppState, CoreState, KeyState, SessionState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use wire::paths;
use wire::second_factor::{FactorChange, FirstCode, NewTotp, RecoveryCodes, RememberedDevices, SecondFactors};

pub(crate) async fn list(
    State(state): State<Arc<CoreState>>,
    session: SignedIn,
) -> Result<Json<SecondFactors>, ApiError> {
    factors::list(&state, &session).await.map(Json)
}

/// Decides whether a sign-in by password needs a passkey too.
pub(crate) async fn change(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    body: Bytes,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let FactorChange { passkey_after_password: wanted } = request::body(&body)?;
    flows::run_to_completion(
        async move { factors::set_passkey_after_password(&state, &client, &session, wanted).await },
    )
    .await
    .map(Json)
}

/// Lists the browsers that are not asked for the second factor.
pub(crate) async fn remembered(
    State(state): State<Arc<CoreState>>,
    session: SignedIn,
) -> Result<Json<RememberedDevices>, ApiError> {
    remembered_devices::list(&state, &session).await.map(Json)
}

/// Asks one of them for the second factor again.
pub(crate) async fn forget(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    flows::run_to_completion(async move { remembered_devices::forget(&state, &client, &session, Some(&id)).await })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks all of them for the second factor again.
pub(crate) async fn forget_all(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
) -> Result<StatusCode, ApiError> {
    flows::run_to_completion(async move { remembered_devices::forget(&state, &client, &session, None).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a generator of one-time codes that waits for its first code.
pub(crate) async fn begin_totp(
    State(state): State<Arc<KeyState>>,
    session: SignedIn,
    body: Bytes,
) -> Result<(StatusCode, Json<NewTotp>), ApiError> {
    request::nothing(&body)?;
    Ok((StatusCode::CREATED, Json(factors::begin_totp(&state, &session).await?)))
}

/// Puts it into use.
pub(crate) async fn confirm_totp(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    body: Bytes,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let first: FirstCode = request::body(&body)?;
    flows::run_to_completion(async move { factors::confirm_totp(&state, &client, &session, &first).await })
        .await
        .map(Json)
}

pub(crate) async fn remove_totp(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
) -> Result<StatusCode, ApiError> {
    flows::run_to_completion(async move { factors::remove_totp(&state, &client, &session).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new set of recovery codes.
pub(crate) async fn recovery_codes(
    State(state): State<Arc<CoreState>>,
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
pub(crate) async fn confirm(
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
