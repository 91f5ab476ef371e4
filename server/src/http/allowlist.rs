//! `/api/admin/allow` and below.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows::actor::Actor;
use crate::flows::allowlist::{self, AllowlistError};
use crate::guards::administrator::Administrator;
use crate::state::{CoreState, DefenceState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;
use wire::allowlist::{Allowlist, NewAllowed};
use wire::problem::Code;

pub(crate) async fn list(State(state): State<Arc<CoreState>>, _: Administrator) -> Result<Json<Allowlist>, ApiError> {
    Ok(Json(allowlist::list(&*state.store, state.now()).await?))
}

pub(crate) async fn add(
    State(state): State<Arc<DefenceState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let wanted: NewAllowed = request::body(&body)?;
    let actor = Actor::administrator(&state, &client, &administrator);
    allowlist::add(&actor, &wanted).await?;
    state.allowlist.reload(&*state.store).await?;
    Ok(StatusCode::CREATED)
}

pub(crate) async fn remove(
    State(state): State<Arc<DefenceState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let actor = Actor::administrator(&state, &client, &administrator);
    let removed = allowlist::remove(&actor, &id).await?;
    state.allowlist.reload(&*state.store).await?;
    if removed.is_some() { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

impl From<AllowlistError> for ApiError {
    fn from(error: AllowlistError) -> Self {
        match error {
            AllowlistError::Unfit(unfit) => unfit.into(),
            AllowlistError::Full => Self::new(Code::Full),
            AllowlistError::Store(error) => error.into(),
        }
    }
}
