//! `GET /api/consents`, `DELETE /api/consents/{id}`: the apps with access to a person's data.

use super::ApiError;
use crate::client::Client;
use crate::flows::{self, oauth_consents};
use crate::guards::signed_in::SignedIn;
use crate::state::{CoreState, SessionState};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;
use wire::oauth::Consents;

/// Lists the apps with access to the person's data by name.
pub(crate) async fn list(State(state): State<Arc<CoreState>>, signed_in: SignedIn) -> Result<Json<Consents>, ApiError> {
    Ok(Json(Consents { consents: oauth_consents::list(&state, &signed_in.claims.sub).await? }))
}

/// Withdraws a consent and revokes what the app got.
pub(crate) async fn withdraw(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = signed_in.claims.sub.clone();
    flows::run_to_completion(async move { oauth_consents::withdraw(&state, &client, &user, &id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
