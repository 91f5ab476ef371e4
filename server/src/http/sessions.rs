//! `GET /api/sessions`, `DELETE /api/sessions`, `DELETE /api/sessions/{id}`

use super::ApiError;
use crate::client::Client;
use crate::flows;
use crate::guards::signed_in::SignedIn;
use crate::state::{CoreState, SessionState};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::ids::SessionId;
use http::StatusCode;
use std::sync::Arc;
use wire::problem::Code;
use wire::session::Devices;

/// Lists the person's sessions: this one first, then by last use.
pub(crate) async fn list(State(state): State<Arc<CoreState>>, signed_in: SignedIn) -> Result<Json<Devices>, ApiError> {
    let devices = flows::sessions::devices(&state, &signed_in.claims.sub, &signed_in.claims.sid).await?;
    Ok(Json(Devices { devices }))
}

/// Ends one of the person's sessions.
pub(crate) async fn end(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    signed_in: SignedIn,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, ApiError> {
    let user = signed_in.claims.sub.clone();
    let ended =
        flows::run_to_completion(async move { flows::sessions::end(&state, &client, &user, &id).await }).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

/// Ends all of the person's sessions except this one.
pub(crate) async fn end_others(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    signed_in: SignedIn,
) -> Result<StatusCode, ApiError> {
    let (user, keep) = (signed_in.claims.sub.clone(), signed_in.claims.sid.clone());
    flows::run_to_completion(async move { flows::sessions::end_others(&state, &client, &user, &keep).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
