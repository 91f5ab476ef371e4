//! A person's sessions.

use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::state::{CoreState, SessionState};
use domain::ids::{SessionId, UserId};
use store::audit::AuditEvent;
use wire::session::Device;

/// Returns this session first, and then the others by last use.
///
/// # Errors
/// The store fails.
pub async fn devices(state: &CoreState, user: &UserId, current: &SessionId) -> Result<Vec<Device>, ApiError> {
    let rows = state.store.sessions_of(user, state.now()).await?;
    let mut devices: Vec<Device> = rows
        .into_iter()
        .map(|row| Device {
            current: row.id == *current,
            bound: row.life.jkt.is_some(),
            auth_time: row.authentication.auth_time().as_seconds(),
            amr: row.authentication.methods.amr().into_iter().map(str::to_owned).collect(),
            acr: row.authentication.methods.acr().to_owned(),
            id: row.id.into(),
            name: row.device,
            address: row.address,
            created_at: row.created_at.as_millis(),
            used_at: row.used_at.as_millis(),
        })
        .collect();
    devices.sort_by_key(|device| !device.current);
    Ok(devices)
}

/// Ends one session of the user. `false`: none has this id.
///
/// # Errors
/// The store fails.
pub async fn end(state: &SessionState, client: &Client, user: &UserId, id: &SessionId) -> Result<bool, ApiError> {
    let mut entry = audit::entry(state, client, AuditEvent::SessionEnded, audit::OK);
    entry.user = Some(user.to_owned());
    entry.session = Some(id.to_owned());
    let ended = state.store.revoke(user, id, &entry, state.now()).await?;
    if ended {
        state.sessions.end(id, state.now());
    }
    Ok(ended)
}

/// Ends every session of the user except `keep`.
///
/// # Errors
/// The store fails.
pub async fn end_others(
    state: &SessionState,
    client: &Client,
    user: &UserId,
    keep: &SessionId,
) -> Result<(), ApiError> {
    let mut entry = audit::entry(state, client, AuditEvent::SessionEnded, audit::OK);
    entry.user = Some(user.to_owned());
    for id in state.store.revoke_others(user, Some(keep), &entry, state.now()).await? {
        state.sessions.end(&id, state.now());
    }
    Ok(())
}
