//! `POST /api/tickets`

use super::{ApiError, request};
use crate::flows::tickets;
use crate::guards::signed_in::ProvenSession;
use crate::state::KeyState;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use std::sync::Arc;
use wire::tickets::IssuedTicket;

/// Issues a ticket for a service, valid for five minutes.
pub(crate) async fn issue(
    State(state): State<Arc<KeyState>>,
    proven: ProvenSession,
    body: Bytes,
) -> Result<Json<IssuedTicket>, ApiError> {
    Ok(Json(tickets::issue(&state, &proven, &request::body(&body)?).await?))
}
