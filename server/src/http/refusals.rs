//! `GET /api/admin/refusals/hours`

use super::ApiError;
use crate::flows;
use crate::guards::administrator::Administrator;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use wire::refusals::RefusalCounts;

/// Returns the last 24 hours by trigger.
pub(crate) async fn hours(State(state): State<AppState>, _: Administrator) -> Result<Json<RefusalCounts>, ApiError> {
    Ok(Json(flows::refusals::hours(&*state.store, state.now()).await?))
}
