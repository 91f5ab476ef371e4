//! A logout: revokes both tokens with their session.

use super::refresh::issued_here;
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::state::SessionState;
use domain::ids::SessionId;
use std::sync::Arc;
use store::audit::AuditEvent;

/// Ends the session of the access or the refresh token. The refresh token is authenticated but may be expired.
///
/// # Errors
/// The store fails.
pub async fn logout(
    state: Arc<SessionState>,
    client: Client,
    session: Option<SessionId>,
    refresh: Option<String>,
) -> Result<(), ApiError> {
    let id = match (session, refresh) {
        (Some(id), _) => Some(id),
        (None, Some(token)) => issued_here(&state, &token).await?.map(|token| SessionId::of_bytes(&token.session())),
        (None, None) => None,
    };
    match id {
        Some(id) => end(&state, &client, &id).await,
        None => Ok(()),
    }
}

/// Ends the session with this id, if it exists.
///
/// # Errors
/// The store fails.
pub async fn end(state: &SessionState, client: &Client, id: &SessionId) -> Result<(), ApiError> {
    let Some(row) = state.store.session(id).await? else { return Ok(()) };
    let mut entry = audit::entry(state, client, AuditEvent::Logout, audit::OK);
    entry.user = Some(row.user.clone());
    entry.session = Some(row.id.clone());
    state.store.revoke(&row.user, &row.id, &entry, state.now()).await?;
    state.sessions.end(&row.id, state.now());
    Ok(())
}
