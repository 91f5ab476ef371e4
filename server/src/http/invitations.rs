//! `/api/admin/invitations`: for administrators.

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
use store::audit::Event;
use wire::account::{Invitations, NewInvitation, OneTimeLink};
use wire::problem::Code;

/// Those that can still be used.
pub async fn list(State(state): State<AppState>, _: Administrator) -> Result<Json<Invitations>, ApiError> {
    Ok(Json(Invitations { invitations: flows::invitations::open(&state).await? }))
}

pub async fn invite(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<OneTimeLink>), ApiError> {
    let wish: NewInvitation = serde_json::from_slice(&body).map_err(|_| ApiError::new(Code::BadRequest))?;
    let office = Office { state, client, administrator };
    let made = flows::to_its_end(async move {
        flows::invitations::invite(&office.state, &wish, office.entry(Event::InvitationMade, "")).await
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

pub async fn revoke(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let office = Office { state, client, administrator };
    let entry = office.entry(Event::InvitationRevoked, "");
    let revoked = office.state.store.revoke_invitation(&id, &entry, office.state.now()).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(Code::NotFound)) }
}
