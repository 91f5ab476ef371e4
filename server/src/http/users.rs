//! `/api/admin/users`: for administrators.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows;
use crate::flows::actor::Actor;
use crate::flows::profiles::ProfileEdit;
use crate::flows::users;
use crate::guards::administrator::Administrator;
use crate::state::{CoreState, KeyState, SessionState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::account::Role;
use domain::ids::UserId;
use http::{StatusCode, Uri};
use serde::Deserialize;
use std::sync::Arc;
use store::users::{ChangeOutcome, User};
use wire::account::{AccountChange, Accounts, NewReset, OneTimeLink};
use wire::problem::Code;
use wire::user_keys::UserKeys;

/// Maximum number of accounts in one answer.
const PAGE: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UserListQuery {
    /// The id of the last account of the previous page.
    after: String,
}

pub(crate) async fn list(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
    uri: Uri,
) -> Result<Json<Accounts>, ApiError> {
    let query: UserListQuery = request::query(&uri)?;
    let (users, next) = users::page(&*state.store, &query.after, PAGE).await?;
    Ok(Json(Accounts { users, next }))
}

/// Changes profile, groups, role or status.
pub(crate) async fn change(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let request: AccountChange = request::body(&body)?;
    let role = |role: String| Role::parse(&role).ok_or_else(|| ApiError::new(Code::BadRequest));
    let role = request.role.map(role).transpose()?;
    let user = find(&state, &id).await?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &client, &administrator);
        let (display_name, email) = (request.display_name.as_deref(), request.email.as_deref());
        let profile = ProfileEdit { display_name, email, groups: request.groups.as_deref() };
        // Done first, because it can be refused, and then nothing else must have changed.
        if !profile.is_empty() {
            flows::profiles::set(&actor, &user.id, &profile).await?;
            state.forget_people();
        }
        if let Some(role) = role {
            settle(&state, users::set_role(&actor, &user, role).await?)?;
            state.forget_people();
        }
        if let Some(disabled) = request.disabled {
            settle(&state, users::set_disabled(&actor, &user, disabled).await?)?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

pub(crate) async fn delete(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let user = find(&state, &id).await?;
    let account = state.keyring.digests.account(&user.name);
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &client, &administrator);
        settle(&state, users::delete(&actor, &user, &account).await?)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Removes the second factors of a person who has lost all of them.
pub(crate) async fn remove_factors(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let user = find(&state, &id).await?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &client, &administrator);
        let removed = flows::factors::remove_all(&actor, actor.store, &user.id).await?;
        if removed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
    })
    .await
}

/// Creates a one-time link for a forgotten password.
pub(crate) async fn reset(
    State(state): State<Arc<KeyState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    body: Bytes,
) -> Result<Json<OneTimeLink>, ApiError> {
    let request = if body.is_empty() { NewReset::default() } else { request::body(&body)? };
    let user = find(&state, &id).await?;
    let actor = Actor::administrator(&state, &client, &administrator);
    Ok(Json(if request.mail {
        flows::reset::link_by_mail(&actor, &state.key_encryption, &user.id).await?
    } else {
        flows::reset::link(&actor, &user.id).await?
    }))
}

/// Makes a new version of a person's user key.
pub(crate) async fn new_key(
    State(state): State<Arc<KeyState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<UserId>,
    body: Bytes,
) -> Result<(StatusCode, Json<UserKeys>), ApiError> {
    request::nothing(&body)?;
    let user = find(&state, &id).await?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &client, &administrator);
        Ok((StatusCode::CREATED, Json(flows::user_keys::make(&state, &actor, &user.id).await?)))
    })
    .await
}

async fn find(state: &CoreState, id: &UserId) -> Result<User, ApiError> {
    state.store.user_by_id(id).await?.ok_or_else(|| ApiError::new(Code::NotFound))
}

fn settle(state: &SessionState, changed: ChangeOutcome) -> Result<(), ApiError> {
    match changed {
        ChangeOutcome::Done { ended } => {
            for id in ended {
                state.sessions.end(&id, state.now());
            }
            Ok(())
        }
        // Unchanged, which is not an error.
        ChangeOutcome::Nothing => Ok(()),
        ChangeOutcome::LastAdministrator => Err(ApiError::new(Code::LastAdministrator)),
    }
}
