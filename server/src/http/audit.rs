//! `GET /api/admin/audit`, and the same as a file.

use super::{ApiError, export, request};
use crate::flows::trail::{self, Error, Filter};
use crate::guards::administrator::Administrator;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use serde::Deserialize;
use std::sync::Arc;
use wire::problem::Code;

/// Number of rows in one answer.
pub const PAGE: u32 = 100;

/// The format of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Json,
    Csv,
    Ndjson,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    format: Format,
}

pub async fn list(State(state): State<AppState>, _: Administrator, uri: Uri) -> Result<Response, ApiError> {
    answer(&state, &uri, request::query::<Asked>(&uri)?.format).await
}

/// Answers with a page of JSON, or with all rows as a file.
///
/// # Errors
/// An invalid filter.
pub async fn answer(state: &AppState, uri: &Uri, format: Format) -> Result<Response, ApiError> {
    let filter: Filter = request::query(uri)?;
    let search = filter.search(&*state.store, PAGE, state.now()).await?;
    let all = || trail::all(Arc::clone(&state.store), search.clone());
    match format {
        Format::Json => Ok(Json(trail::page(&*state.store, &search).await?).into_response()),
        Format::Csv => Ok(export::csv("audit.csv", all())),
        Format::Ndjson => Ok(export::ndjson("audit.ndjson", all())),
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            other => Self::explained(Code::BadRequest, other),
        }
    }
}
