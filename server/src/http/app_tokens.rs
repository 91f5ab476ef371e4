//! `POST /api/tokens`

use super::{ApiError, request};
use crate::flows::app_tokens;
use crate::guards::signed_in::SignedIn;
use crate::state::KeyState;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use std::sync::Arc;
use wire::apps::{AppToken, TokenRequest};

/// Issues an access token for an app.
pub(crate) async fn issue(
    State(state): State<Arc<KeyState>>,
    session: SignedIn,
    body: Bytes,
) -> Result<Json<AppToken>, ApiError> {
    let request: TokenRequest = request::body(&body)?;
    Ok(Json(app_tokens::issue(&state, &session, &request.audience).await?))
}
