//! `/api/keys/user` and below.

use super::{ApiError, request};
use crate::audit;
use crate::client::Client;
use crate::flows::{self, user_keys};
use crate::guards::recent_factor;
use crate::guards::signed_in::{ProvenSession, SignedIn};
use crate::state::{CoreState, KeyState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;
use store::audit::{AuditEntry, AuditEvent};
use wire::problem::Code;
use wire::user_keys::{SealedUserKey, UserKeys};

/// Lists the person's versions, newest first, without the keys.
pub(crate) async fn list(State(state): State<Arc<KeyState>>, session: SignedIn) -> Result<Json<UserKeys>, ApiError> {
    Ok(Json(user_keys::list(&state, &session.claims.sub).await?))
}

/// Returns one of the person's keys, encrypted to this session's receiving key.
pub(crate) async fn issue_key(
    State(state): State<Arc<KeyState>>,
    proven: ProvenSession,
    body: Bytes,
) -> Result<Json<SealedUserKey>, ApiError> {
    Ok(Json(user_keys::issue_key(&state, &proven, &request::body(&body)?).await?))
}

/// Makes a new version and returns all versions.
pub(crate) async fn rotate(
    State(state): State<Arc<KeyState>>,
    Extension(client): Extension<Client>,
    proven: ProvenSession,
    body: Bytes,
) -> Result<(StatusCode, Json<UserKeys>), ApiError> {
    request::nothing(&body)?;
    recent_factor::check(&state, &proven.session).await?;
    let audit = entry(&state, &client, &proven.session, AuditEvent::UserKeyReplaced);
    flows::run_to_completion(async move {
        let user = &proven.session.claims.sub;
        user_keys::rotate(&state, user, audit).await?;
        Ok((StatusCode::CREATED, Json(user_keys::list(&state, user).await?)))
    })
    .await
}

/// Ends one of the person's versions.
pub(crate) async fn revoke(
    State(state): State<Arc<KeyState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    Path(version): Path<String>,
) -> Result<StatusCode, ApiError> {
    recent_factor::check_person(&state, &session).await?;
    let number = version.parse().map_err(|_| ApiError::new(Code::NotFound))?;
    let audit = entry(&state, &client, &session, AuditEvent::UserKeyRevoked);
    flows::run_to_completion(async move { user_keys::revoke(&state, &session.claims.sub, number, audit).await })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn entry(state: &CoreState, client: &Client, session: &SignedIn, event: AuditEvent) -> AuditEntry {
    let mut entry = audit::entry(state, client, event, audit::OK);
    entry.user = Some(session.claims.sub.clone());
    entry.session = Some(session.claims.sid.clone());
    entry
}
