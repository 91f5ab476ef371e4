//! `GET /api/openapi.json`, readable from any origin.

use super::{ApiError, metadata};
use crate::openapi;
use axum::response::IntoResponse;
use http::header;

/// Returns the description of every path.
pub(crate) async fn document() -> Result<impl IntoResponse, ApiError> {
    let document = openapi::document().map_err(ApiError::broken)?;
    Ok((metadata::open(), [(header::CONTENT_TYPE, "application/json")], document))
}
