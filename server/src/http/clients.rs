//! `/api/admin/clients`: clients of the OpenID provider, for administrators.

use super::{ApiError, request};
use crate::client::Client as Caller;
use crate::flows;
use crate::flows::actor::Actor;
use crate::flows::oauth_clients::{self, ClientError};
use crate::flows::oauth_explanation;
use crate::flows::oauth_initial_tokens;
use crate::guards::administrator::Administrator;
use crate::state::CoreState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use wire::clients::{Client, ClientSecret, Clients, NewSecret, RegistrationTokens, RequestVerdict};
use wire::problem::Code;

pub(crate) async fn list(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
) -> Result<Json<Clients>, ApiError> {
    let actor = Actor::administrator(&state, &caller, &administrator);
    Ok(Json(Clients { clients: listed(&actor).await? }))
}

/// Returns all clients as administrators see them.
///
/// # Errors
/// A row cannot be read, or the store fails.
pub(super) async fn listed(actor: &Actor<'_>) -> Result<Vec<Client>, ApiError> {
    let all = oauth_clients::list(actor).await?;
    Ok(all.iter().map(oauth_clients::shown).collect::<Result<_, _>>()?)
}

pub(crate) async fn add(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<ClientSecret>), ApiError> {
    let (settings, public) = oauth_clients::parse_new(request::body::<Map<String, Value>>(&body)?)?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &caller, &administrator);
        let (_, secret) = oauth_clients::add(&actor, settings, public).await?;
        state.clients.reload_or_log(&*state.store).await;
        Ok((StatusCode::CREATED, Json(secret)))
    })
    .await
}

pub(crate) async fn change(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let changes: Map<String, Value> = request::body(&body)?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &caller, &administrator);
        oauth_clients::change(&actor, &id, &changes).await?;
        state.clients.reload_or_log(&*state.store).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Makes a new secret, which is shown once.
pub(crate) async fn rotate(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<ClientSecret>, ApiError> {
    let request: NewSecret = request::body(&body)?;
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &caller, &administrator);
        let secret = oauth_clients::rotate(&actor, &id, request.keep_old).await?;
        state.clients.reload_or_log(&*state.store).await;
        Ok(Json(secret))
    })
    .await
}

pub(crate) async fn remove(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    flows::run_to_completion(async move {
        let actor = Actor::administrator(&state, &caller, &administrator);
        let removed = oauth_clients::remove(&actor, &id).await?;
        state.clients.reload_or_log(&*state.store).await;
        if removed { Ok(StatusCode::NO_CONTENT) } else { Err(ClientError::NotFound.into()) }
    })
    .await
}

/// Lists the tokens with which clients register themselves.
pub(crate) async fn tokens(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
) -> Result<Json<RegistrationTokens>, ApiError> {
    let actor = Actor::administrator(&state, &caller, &administrator);
    Ok(Json(RegistrationTokens { tokens: oauth_initial_tokens::list(&actor).await? }))
}

/// Revokes such a token. Clients that it has registered stay.
pub(crate) async fn revoke_token(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let actor = Actor::administrator(&state, &caller, &administrator);
    let revoked = oauth_initial_tokens::revoke(&actor, &id).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Explained {
    request: String,
}

/// Says whether an app's request would be accepted, and if not, why.
pub(crate) async fn explain(
    State(state): State<Arc<CoreState>>,
    Extension(caller): Extension<Caller>,
    administrator: Administrator,
    uri: Uri,
) -> Result<Json<RequestVerdict>, ApiError> {
    let Explained { request } = request::query(&uri)?;
    let actor = Actor::administrator(&state, &caller, &administrator);
    Ok(Json(oauth_explanation::explain(&actor, &request).await?))
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Store(error) => error.into(),
            ClientError::NotFound => Self::explained(Code::NotFound, sentence(&error)),
            ClientError::Taken => Self::explained(Code::NameTaken, sentence(&error)),
            ClientError::Full => Self::new(Code::Full),
            ClientError::Changed => Self::wait(Code::Busy, 1000),
            ClientError::Unreadable(_) | ClientError::Json(_) => Self::broken(error),
            ClientError::Invalid(_) | ClientError::Unusable(..) | ClientError::Public | ClientError::Document => {
                Self::explained(Code::BadRequest, sentence(&error))
            }
        }
    }
}

fn sentence(error: &ClientError) -> String {
    format!("{error}.")
}
