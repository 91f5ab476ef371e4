//! `/api/admin/toll` and below: for administrators.

use super::{ApiError, request};
use crate::flows;
use crate::flows::operator::Operator;
use crate::guards::administrator::Administrator;
use crate::guards::client::Client;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::{StatusCode, Uri};
use serde::Deserialize;
use store::toll::TokenChange;
use wire::problem::Code;
use wire::toll_books::{Days, Payments, Routes, Tokens};

/// Number of rows in one answer.
pub const PAGE: u32 = 200;
/// Number of days in one answer, and the maximum.
pub const DAYS: u32 = 30;
const MOST_DAYS: u32 = 3660;

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Span {
    days: u32,
}

impl Default for Span {
    fn default() -> Self {
        Self { days: DAYS }
    }
}

pub async fn routes(State(state): State<AppState>, _: Administrator) -> Result<Json<Routes>, ApiError> {
    Ok(Json(flows::toll::routes(&*state.store, &state.config.settings.toll, state.now()).await?))
}

pub async fn payments(State(state): State<AppState>, _: Administrator) -> Result<Json<Payments>, ApiError> {
    Ok(Json(flows::toll::payments(&*state.store, PAGE).await?))
}

pub async fn tokens(State(state): State<AppState>, _: Administrator) -> Result<Json<Tokens>, ApiError> {
    Ok(Json(flows::toll::tokens(&*state.store, PAGE, state.now()).await?))
}

pub async fn days(State(state): State<AppState>, _: Administrator, uri: Uri) -> Result<Json<Days>, ApiError> {
    let Span { days } = request::query(&uri)?;
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(ApiError::explained(Code::BadRequest, format!("days must be 1 to {MOST_DAYS}")));
    }
    Ok(Json(flows::toll::days(&*state.store, days, state.now()).await?))
}

pub async fn suspend(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    request::nothing(&body)?;
    change(&Operator::administrator(&state, &client, &administrator), &id, TokenChange::Suspend).await
}

pub async fn resume(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    request::nothing(&body)?;
    change(&Operator::administrator(&state, &client, &administrator), &id, TokenChange::Resume).await
}

pub async fn revoke(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    change(&Operator::administrator(&state, &client, &administrator), &id, TokenChange::Revoke).await
}

async fn change(operator: &Operator<'_>, id: &str, wanted: TokenChange) -> Result<StatusCode, ApiError> {
    let changed = flows::toll::change(operator, id, wanted).await?;
    if changed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

impl From<flows::toll::Error> for ApiError {
    fn from(error: flows::toll::Error) -> Self {
        match error {
            flows::toll::Error::Config(error) => Self::broken(error),
            flows::toll::Error::Store(error) => error.into(),
        }
    }
}
