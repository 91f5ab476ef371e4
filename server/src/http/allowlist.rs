//! `/api/admin/allow` and below.

use super::{ApiError, request};
use crate::flows::allowlist::{self, Error};
use crate::flows::operator::Operator;
use crate::guards::administrator::Administrator;
use crate::guards::client::Client;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use wire::allowlist::{Allowlist, NewAllowed};
use wire::problem::Code;

pub async fn list(State(state): State<AppState>, _: Administrator) -> Result<Json<Allowlist>, ApiError> {
    Ok(Json(allowlist::list(&*state.store, state.now()).await?))
}

pub async fn add(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let wanted: NewAllowed = request::body(&body)?;
    let operator = Operator::administrator(&state, &client, &administrator);
    allowlist::add(&operator, &wanted).await?;
    state.allowlist.replace(state.store.allowlist().await?);
    Ok(StatusCode::CREATED)
}

pub async fn remove(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let operator = Operator::administrator(&state, &client, &administrator);
    let removed = allowlist::remove(&operator, &id).await?;
    state.allowlist.replace(state.store.allowlist().await?);
    if removed.is_some() { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unfit(unfit) => unfit.into(),
            Error::Full => Self::new(Code::Full),
            Error::Store(error) => error.into(),
        }
    }
}
