//! `GET /api/admin/audit`, and the same as a file.

use super::{ApiError, export, request};
use crate::flows::audit_log::{self, AuditQuery, AuditQueryError};
use crate::guards::administrator::Administrator;
use crate::state::CoreState;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use serde::Deserialize;
use std::sync::Arc;
use wire::problem::Code;

/// Number of rows in one answer.
pub(crate) const PAGE: u32 = 100;

/// The format of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditFormat {
    #[default]
    Json,
    Csv,
    Ndjson,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AuditListQuery {
    format: AuditFormat,
}

pub(crate) async fn list(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
    uri: Uri,
) -> Result<Response, ApiError> {
    answer(&state, &uri, request::query::<AuditListQuery>(&uri)?.format).await
}

/// Answers with a page of JSON, or with all rows as a file.
///
/// # Errors
/// An invalid filter.
pub(crate) async fn answer(state: &CoreState, uri: &Uri, format: AuditFormat) -> Result<Response, ApiError> {
    let filter: AuditQuery = request::query(uri)?;
    let search = filter.search(&*state.store, PAGE, state.now()).await?;
    let all = || audit_log::all(Arc::clone(&state.store), search.clone());
    match format {
        AuditFormat::Json => Ok(Json(audit_log::page(&*state.store, &search).await?).into_response()),
        AuditFormat::Csv => Ok(export::csv("audit.csv", all())),
        AuditFormat::Ndjson => Ok(export::ndjson("audit.ndjson", all())),
    }
}

impl From<AuditQueryError> for ApiError {
    fn from(error: AuditQueryError) -> Self {
        match error {
            AuditQueryError::Store(error) => error.into(),
            other => Self::explained(Code::BadRequest, other),
        }
    }
}
