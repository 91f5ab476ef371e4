//! `/api/admin/toll` and below: for administrators.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows;
use crate::flows::actor::Actor;
use crate::guards::administrator::Administrator;
use crate::state::CoreState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::{StatusCode, Uri};
use serde::Deserialize;
use std::sync::Arc;
use store::toll::TokenChange;
use wire::problem::Code;
use wire::toll_admin::{TollDays, TollPayments, TollRoutes, TollTokens};

/// Number of rows in one answer.
pub(crate) const PAGE: u32 = 200;
/// Number of days in one answer, and the maximum.
pub(crate) const DAYS: u32 = 30;
const MOST_DAYS: u32 = 3660;

#[derive(Debug, Deserialize)]
#[serde(default)]
struct DayRange {
    days: u32,
}

impl Default for DayRange {
    fn default() -> Self {
        Self { days: DAYS }
    }
}

pub(crate) async fn routes(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
) -> Result<Json<TollRoutes>, ApiError> {
    Ok(Json(flows::toll::routes(&*state.store, &state.config.settings.toll, state.now()).await?))
}

pub(crate) async fn payments(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
) -> Result<Json<TollPayments>, ApiError> {
    Ok(Json(flows::toll::payments(&*state.store, PAGE).await?))
}

pub(crate) async fn tokens(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
) -> Result<Json<TollTokens>, ApiError> {
    Ok(Json(flows::toll::tokens(&*state.store, PAGE, state.now()).await?))
}

pub(crate) async fn days(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
    uri: Uri,
) -> Result<Json<TollDays>, ApiError> {
    let DayRange { days } = request::query(&uri)?;
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(ApiError::explained(Code::BadRequest, format!("days must be 1 to {MOST_DAYS}")));
    }
    Ok(Json(flows::toll::days(&*state.store, days, state.now()).await?))
}

pub(crate) async fn suspend(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    request::nothing(&body)?;
    change(&Actor::administrator(&state, &client, &administrator), &id, TokenChange::Suspend).await
}

pub(crate) async fn resume(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    request::nothing(&body)?;
    change(&Actor::administrator(&state, &client, &administrator), &id, TokenChange::Resume).await
}

pub(crate) async fn revoke(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    change(&Actor::administrator(&state, &client, &administrator), &id, TokenChange::Revoke).await
}

async fn change(actor: &Actor<'_>, id: &str, wanted: TokenChange) -> Result<StatusCode, ApiError> {
    let changed = flows::toll::change(actor, id, wanted).await?;
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
