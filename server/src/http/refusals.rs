//! `GET /api/admin/refusals/hours`

use super::ApiError;
use crate::flows;
use crate::guards::administrator::Administrator;
use crate::state::CoreState;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;
use wire::refusals::RefusalCounts;

/// Returns the last 24 hours by trigger.
pub(crate) async fn hours(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
) -> Result<Json<RefusalCounts>, ApiError> {
    Ok(Json(flows::refusals::hours(&*state.store, state.now()).await?))
}
