//! A refresh: returns the token's successor, or ends the session.

use super::issue::{self, IssuedTokens, SessionOwner};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::guards::copied::{self, TokenOwner};
use crate::guards::proof;
use crate::sessions::LiveSession;
use crate::state::{KeyState, SessionState};
use domain::ids::SessionId;
use domain::refresh_token::RefreshToken;
use domain::session::Refresh;
use http::Method;
use std::sync::Arc;
use store::audit::AuditEvent;
use store::sessions::{Rotation, SessionRow};
use wire::login::Delivery;
use wire::paths;
use wire::problem::Code;

/// Maximum number of attempts. Whenever a rotation fails, a concurrent one has succeeded.
const TRIES: u32 = 4;

/// Rotates a refresh token, or ends its session.
///
/// # Errors
/// `session_ended`, `bad_proof`, `use_dpop_nonce`, or `no_session` for a token that this server did not issue.
pub async fn refresh(
    state: Arc<SessionState>,
    client: Client,
    token: String,
    proof: Option<String>,
    delivery: Delivery,
) -> Result<IssuedTokens, ApiError> {
    let token = issued_here(&state, &token).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let jkt = match proof {
        Some(proof) => Some(proof::check(&state, Method::POST.as_str(), paths::REFRESH, &proof).await?.jkt),
        None => None,
    };
    let id = SessionId::of_bytes(&token.session());

    for _ in 0..TRIES {
        let Some(row) = state.store.session(&id).await? else { return Err(ApiError::new(Code::SessionEnded)) };
        if row.user_disabled {
            return Err(ApiError::new(Code::SessionEnded));
        }
        match row.life.refresh(token.generation(), &token.hash(), jkt, state.now()) {
            Refresh::Rotate => {
                if let Some(issued) = rotate(&state, &client, &row, &token, delivery).await? {
                    return Ok(issued);
                }
            }
            Refresh::Again => return again(&state, &row, &token, delivery).await,
            Refresh::Reuse => return Err(end_family(&state, &client, &row).await),
            Refresh::Ended => return Err(ApiError::new(Code::SessionEnded)),
            Refresh::WrongKey => {
                let owner = TokenOwner { user: &row.user, session: &row.id, app: "" };
                copied::record(&state, &client, owner).await?;
                return Err(proof::refuse(&state, Code::BadProof));
            }
        }
    }
    Err(ApiError::wait(Code::Busy, 1000))
}

/// Reads a token that was issued here at some time. If its MAC key is no longer valid, others may have that key, so the
/// token must also be the one in its session's row. Returns `None` for a forged token, and for one that was used long
/// ago.
///
/// # Errors
/// The store does not answer.
pub async fn issued_here(state: &KeyState, text: &str) -> Result<Option<RefreshToken>, ApiError> {
    let read = |text| state.keyring.authentic(state.now(), |macs| RefreshToken::authenticate(&macs.refresh, text));
    if let Some(token) = read(text) {
        return Ok(Some(token));
    }
    let made_here = state.keyring.made_here(|macs| RefreshToken::authenticate(&macs.refresh, text));
    let Some(token) = made_here else { return Ok(None) };
    let row = state.store.session(&SessionId::of_bytes(&token.session())).await?;
    Ok(row.filter(|row| row.life.holds(token.generation(), &token.hash())).map(|_| token))
}

/// Rotates the token. `None`: a concurrent rotation succeeded first.
async fn rotate(
    state: &SessionState,
    client: &Client,
    row: &SessionRow,
    token: &RefreshToken,
    delivery: Delivery,
) -> Result<Option<IssuedTokens>, ApiError> {
    let now = state.now();
    let successor = token.successor(&state.keyring.macs(now)?.refresh);
    let rotation = Rotation {
        id: row.id.clone(),
        from_generation: token.generation(),
        from_hash: token.hash(),
        to_hash: successor.hash(),
        address: client.client_key.network_label(),
        idle_at: now + state.config.settings.session.idle.ms(),
        now,
        changed_at: state.sync.on_the_database(now),
    };
    if !state.store.rotate(&rotation).await? {
        return Ok(None);
    }
    let live = LiveSession {
        generation: successor.generation(),
        used: row.life.used,
        bound: row.life.jkt.is_some(),
        rotated_at: now,
        idle_at: rotation.idle_at,
        ends_at: row.life.ends_at,
        revoked: false,
        authentication: row.authentication,
        version: state.sessions.next_version(),
    };
    issue_successor(state, row, live, &successor, delivery).map(Some)
}

/// Returns the same successor again: the answer was lost, or two tabs refreshed at the same time. Its key may have been
/// replaced or revoked since. Its hash shows whether the right key was found.
async fn again(
    state: &SessionState,
    row: &SessionRow,
    token: &RefreshToken,
    delivery: Delivery,
) -> Result<IssuedTokens, ApiError> {
    let of = |key: &[u8; 32]| Some(token.successor(key)).filter(|successor| successor.hash() == row.life.current);
    let find = || state.keyring.made_here(|macs| of(&macs.refresh));
    let mut successor = find();
    if successor.is_none() {
        // Another node made it with a new key that this node has not read yet.
        state.keyring.reload(&state.vault()).await?;
        successor = find();
    }
    let successor = successor.ok_or_else(|| ApiError::new(Code::SessionEnded))?;
    issue_successor(state, row, state.sessions.update(row), &successor, delivery)
}

fn issue_successor(
    state: &SessionState,
    row: &SessionRow,
    live: LiveSession,
    token: &RefreshToken,
    delivery: Delivery,
) -> Result<IssuedTokens, ApiError> {
    let owner = SessionOwner { user: &row.user, username: &row.username, role: row.role };
    issue::tokens(state, &owner, &row.id, row.life.jkt, live, token, delivery)
}

/// Ends the session, because somebody has a copy of a spent token, and notifies the owner.
async fn end_family(state: &SessionState, client: &Client, row: &SessionRow) -> ApiError {
    let mut entry = audit::entry(state, client, AuditEvent::TokenReused, "ended");
    entry.user = Some(row.user.clone());
    entry.session = Some(row.id.clone());
    match state.store.revoke(&row.user, &row.id, &entry, state.now()).await {
        Ok(_) => {
            state.sessions.end(&row.id, state.now());
            tracing::warn!(name: net::KEPT, session = %row.id, "a spent refresh token was used again: the session has ended");
            ApiError::new(Code::SessionEnded)
        }
        Err(error) => error.into(),
    }
}
