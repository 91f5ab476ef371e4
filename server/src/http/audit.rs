//! `GET /api/admin/audit`, and the same as a file.

use super::sign_in_path::sign_in_path;
use super::{ApiError, enrol, export, render, request};
use crate::client::Client;
use crate::flows::audit_log::{self, AuditQuery, AuditQueryError};
use crate::guards::administrator::Administrator;
use crate::guards::signed_in::SignedIn;
use crate::state::{AppState, CoreState};
use app::View;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
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

/// Answers `GET /dashboard/audit.csv`. A link leads here, so an expired session is renewed as for a page.
///
/// # Errors
/// An invalid filter.
pub(crate) async fn file(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    // Unreadable queries are refused before sign-in, because sign-in would return here.
    request::query::<AuditQuery>(request.uri())?.read(state.now())?;
    let client = request.extensions().get::<Client>();
    let Some(session) = SignedIn::find(&state, client, request.headers()).await? else {
        return Ok(Redirect::to(&sign_in_path(&state, request.headers(), request.uri())).into_response());
    };
    if let Some(path) = enrol::required_page(&state, &session, request.uri()).await? {
        return Ok(Redirect::to(&path).into_response());
    }
    if Administrator::find(&state, session).await?.is_none() {
        return Ok(render::document(State(state), View::NotFound, request).await);
    }
    answer(&state, request.uri(), AuditFormat::Csv).await
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
