//! `/api/admin/invitations`: for administrators.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows::actor::Actor;
use crate::flows::invitations::{self, InvitationError};
use crate::guards::administrator::Administrator;
use crate::state::{CoreState, KeyState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::account::Role;
use http::StatusCode;
use std::sync::Arc;
use wire::account::{Invitations, NewInvitation, OneTimeLink};
use wire::problem::Code;

/// Lists unused invitations.
pub(crate) async fn list(State(state): State<Arc<CoreState>>, _: Administrator) -> Result<Json<Invitations>, ApiError> {
    Ok(Json(Invitations { invitations: invitations::open(&*state.store, state.now()).await? }))
}

pub(crate) async fn invite(
    State(state): State<Arc<KeyState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<OneTimeLink>), ApiError> {
    let request: NewInvitation = request::body(&body)?;
    let role = Role::parse(&request.role).ok_or_else(|| ApiError::new(Code::BadRequest))?;
    let actor = Actor::administrator(&state, &client, &administrator);
    let made = match request.email.trim() {
        "" => invitations::invite(&actor, role, &request.note, request.hours).await?,
        email => {
            let key = &state.key_encryption;
            invitations::invite_by_mail(&actor, key, role, &request.note, request.hours, email).await?
        }
    };
    Ok((StatusCode::CREATED, Json(made)))
}

pub(crate) async fn revoke(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let actor = Actor::administrator(&state, &client, &administrator);
    let revoked = invitations::revoke(&actor, &id).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

impl From<InvitationError> for ApiError {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::Store(error) => error.into(),
            InvitationError::Mail(error) => error.into(),
            InvitationError::Address(error) => Self::explained(Code::BadRequest, format!("{error}.")),
            InvitationError::Hours | InvitationError::Note => Self::new(Code::BadRequest),
        }
    }
}
