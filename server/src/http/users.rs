//! `/api/admin/users`: for administrators.

use super::ApiError;
use crate::flows;
use crate::flows::users::Office;
use crate::guards::administrator::Administrator;
use crate::guards::client::Client;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use wire::account::{AccountChange, Accounts, OneTimeLink};
use wire::problem::Code;

pub async fn list(State(state): State<AppState>, _: Administrator) -> Result<Json<Accounts>, ApiError> {
    Ok(Json(Accounts { users: flows::users::list(&state).await? }))
}

/// Role, disabled or not.
pub async fn change(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let wish: AccountChange = serde_json::from_slice(&body).map_err(|_| ApiError::new(Code::BadRequest))?;
    let office = Office { state, client, administrator };
    flows::to_its_end(async move { office.change(&id, &wish).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn delete(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let office = Office { state, client, administrator };
    flows::to_its_end(async move { office.delete(&id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A one-time link that sets a forgotten password.
pub async fn reset(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<Json<OneTimeLink>, ApiError> {
    let office = Office { state, client, administrator };
    Ok(Json(flows::to_its_end(async move { office.reset_link(&id).await }).await?))
}
