//! `/api/admin/services`: for administrators.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows::actor::Actor;
use crate::flows::services::{self, ServiceError};
use crate::guards::administrator::Administrator;
use crate::state::CoreState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde_json::Value;
use std::sync::Arc;
use wire::problem::Code;
use wire::services::{NewService, Service, Services};

pub(crate) async fn list(State(state): State<Arc<CoreState>>, _: Administrator) -> Result<Json<Services>, ApiError> {
    Ok(Json(Services { services: services::list(&*state.store).await? }))
}

/// Registers a service, or replaces its key.
pub(crate) async fn set(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<Service>), ApiError> {
    let request: NewService<Value> = request::body(&body)?;
    let actor = Actor::administrator(&state, &client, &administrator);
    let service = services::set(&actor, &request.name, &request.key, request.role.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(service)))
}

pub(crate) async fn remove(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let actor = Actor::administrator(&state, &client, &administrator);
    let removed = services::remove(&actor, &name).await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NoService)) }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(error) => error.into(),
            unfit => Self::explained(Code::BadRequest, unfit),
        }
    }
}
