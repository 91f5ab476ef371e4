//! `GET /api/openapi.json`: readable from anywhere.

use super::{ApiError, metadata};
use crate::openapi;
use axum::response::IntoResponse;
use http::header;

/// Every path, what it takes and what it answers.
pub async fn document() -> Result<impl IntoResponse, ApiError> {
    let document = openapi::document().map_err(ApiError::broken)?;
    Ok((metadata::open(), [(header::CONTENT_TYPE, "application/json")], document))
}
