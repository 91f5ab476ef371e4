//! `/api/admin/keys` and below: the server's keys, for administrators.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows::actor::Actor;
use crate::flows::server_keys::{self, RotationOutcome, ServerKeyError};
use crate::guards::administrator::Administrator;
use crate::state::{CoreState, KeyState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::UnixMs;
use http::StatusCode;
use std::sync::Arc;
use wire::problem::Code;
use wire::server_keys::{Rotation, ServerKey, ServerKeys};

pub(crate) async fn list(State(state): State<Arc<CoreState>>, _: Administrator) -> Result<Json<ServerKeys>, ApiError> {
    let keys = server_keys::list(&*state.store, &state.config, state.now()).await?;
    Ok(Json(ServerKeys { keys }))
}

/// Answers 201 with a new key, or 200 with the one that is already waiting.
pub(crate) async fn rotate(
    State(state): State<Arc<KeyState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<ServerKey>), ApiError> {
    let Rotation { kind, at } = request::body(&body)?;
    let kind = server_keys::stored_kind(kind);
    let actor = Actor::administrator(&state, &client, &administrator);
    let rotated = server_keys::rotate(&actor, &state.key_encryption, kind, at.map(UnixMs::from_millis)).await?;
    state.keyring.reload(&state.vault()).await?;
    Ok(match rotated {
        RotationOutcome::Made(key) => (StatusCode::CREATED, Json(key)),
        RotationOutcome::Waits(key) => (StatusCode::OK, Json(key)),
    })
}

pub(crate) async fn revoke(
    State(state): State<Arc<KeyState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(kid): Path<String>,
) -> Result<StatusCode, ApiError> {
    let actor = Actor::administrator(&state, &client, &administrator);
    let revoked = server_keys::revoke(&actor, &state.key_encryption, &kid, None).await?;
    state.keyring.reload(&state.vault()).await?;
    if revoked.is_some() { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

impl From<ServerKeyError> for ApiError {
    fn from(error: ServerKeyError) -> Self {
        match error {
            ServerKeyError::Far => Self::explained(Code::BadRequest, error),
            ServerKeyError::Key(error) => error.into(),
            ServerKeyError::Store(error) => error.into(),
        }
    }
}
