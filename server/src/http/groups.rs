//! `/api/admin/groups`: for administrators.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows;
use crate::flows::actor::Actor;
use crate::flows::profiles::{self, ProfileError};
use crate::guards::administrator::Administrator;
use crate::state::{CoreState, SessionState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;
use wire::account::{Group, GroupMembers, Groups, NewGroup};
use wire::problem::Code;

pub(crate) async fn list(State(state): State<Arc<CoreState>>, _: Administrator) -> Result<Json<Groups>, ApiError> {
    Ok(Json(Groups { groups: profiles::groups(&*state.store).await? }))
}

pub(crate) async fn add(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<Group>), ApiError> {
    let request: NewGroup = request::body(&body)?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &client, &administrator);
        Ok((StatusCode::CREATED, Json(profiles::add_group(&actor, &request.name).await?)))
    })
    .await
}

/// Shows a group with its accounts.
pub(crate) async fn show(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
    Path(id): Path<String>,
) -> Result<Json<GroupMembers>, ApiError> {
    let group = profiles::find_group(&*state.store, &id).await?;
    let members = profiles::members(&*state.store, &group.id).await?;
    Ok(Json(GroupMembers { group, members }))
}

pub(crate) async fn rename(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let request: NewGroup = request::body(&body)?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &client, &administrator);
        profiles::rename_group(&actor, &id, &request.name).await?;
        state.forget_people();
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

pub(crate) async fn remove(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &client, &administrator);
        let group = profiles::find_group(&*state.store, &id).await?;
        profiles::remove_group(&actor, &group).await?;
        state.forget_people();
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

impl From<ProfileError> for ApiError {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::Store(error) => error.into(),
            ProfileError::NoUser | ProfileError::NoGroup => Self::new(Code::NotFound),
            ProfileError::GroupRequired(_) => Self::new(Code::GroupRequired),
            ProfileError::GroupTaken => Self::new(Code::NameTaken),
            ProfileError::EmailTaken => Self::new(Code::EmailTaken),
            invalid => Self::explained(Code::BadRequest, format!("{invalid}.")),
        }
    }
}
