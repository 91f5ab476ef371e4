//! `/api/admin/invitations`: for administrators.

use super::{ApiError, request};
use crate::flows::invitations::{self, Error};
use crate::flows::operator::Operator;
use crate::guards::administrator::Administrator;
use crate::guards::client::Client;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::account::Role;
use http::StatusCode;
use wire::account::{Invitations, NewInvitation, OneTimeLink};
use wire::problem::Code;

/// Lists unused invitations.
pub async fn list(State(state): State<AppState>, _: Administrator) -> Result<Json<Invitations>, ApiError> {
    Ok(Json(Invitations { invitations: invitations::open(&*state.store, state.now()).await? }))
}

pub async fn invite(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<OneTimeLink>), ApiError> {
    let wish: NewInvitation = request::body(&body)?;
    let role = Role::parse(&wish.role).ok_or_else(|| ApiError::new(Code::BadRequest))?;
    let operator = Operator::administrator(&state, &client, &administrator);
    let made = invitations::invite(&operator, role, &wish.note, wish.hours).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

pub async fn revoke(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let operator = Operator::administrator(&state, &client, &administrator);
    let revoked = invitations::revoke(&operator, &id).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::Hours | Error::Note => Self::new(Code::BadRequest),
        }
    }
}
