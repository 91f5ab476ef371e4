//! Forgotten passwords: an operator's one-time link, and its use.

use super::operator::Operator;
use super::sealed::{self, Received, Sealed, Stop};
use super::{audit, new_password};
use crate::guards::client::Client;
use crate::http::ApiError;
use crate::state::AppState;
use domain::invitation::{RESET_MS, code, code_hash};
use store::audit::Event;
use store::resets::{Reset, UseReset};
use wire::account::OneTimeLink;
use wire::envelope::Kind;
use wire::password::PasswordReset;
use wire::paths;
use wire::problem::Code;

/// Creates a link for a user; an earlier one becomes invalid.
///
/// # Errors
/// The store fails.
pub async fn link(operator: &Operator<'_>, user: &str) -> store::Result<OneTimeLink> {
    let code = code(&operator.entropy.bytes());
    let audit = operator.entry_of(Event::ResetMade, user);
    let reset = Reset {
        user: user.to_owned(),
        code_hash: code_hash(&code),
        made_by: audit.actor.clone(),
        created_at: operator.now,
        expires_at: operator.now + RESET_MS,
    };
    operator.store.add_reset(&reset, &audit).await?;
    Ok(OneTimeLink { link: operator.link(paths::RESET_PAGE, &code), expires_at: reset.expires_at })
}

/// Sets the password by a one-time link. Every session ends, and nobody is signed in.
///
/// # Errors
/// The refusal. None counts as an attack, because a code cannot be guessed.
pub async fn reset(state: AppState, client: Client, sealed: Sealed) -> Result<(), ApiError> {
    let received = sealed::receive(&state, &client, sealed, Kind::Reset).await?;
    let attempt = received.attempt.clone();
    let result = decide(&state, &client, received).await;
    sealed::settle(&state, &attempt, result).await
}

async fn decide(state: &AppState, client: &Client, received: Received) -> Result<(), Stop> {
    let wish: PasswordReset =
        serde_json::from_slice(&received.plaintext).map_err(|_| ApiError::new(Code::BadEnvelope))?;
    let code_hash = code_hash(&wish.code);
    let user = state.store.reset_of(&code_hash, state.now()).await?;
    let Some(user) = user else {
        let entry = audit::entry(state, client, Event::PasswordSet, audit::WRONG_CODE);
        audit::note(state, client, entry).await?;
        return Err(ApiError::new(Code::LinkUsedUp).into());
    };
    new_password::check(state, &user.name, &wish.password).await?;
    let hash = new_password::hash(state, &received.place, &wish.password).await?;
    let mut entry = audit::entry(state, client, Event::PasswordSet, audit::OK);
    entry.user = Some(user.id.clone());
    let reset = UseReset {
        attempt: received.attempt.clone(),
        code_hash,
        account: state.keyring.digests.account(&user.name).as_str().to_owned(),
        user: user.id,
        hash,
        audit: entry,
        now: state.now(),
    };
    let ended = state.store.use_reset(&reset).await?;
    for id in ended.ok_or_else(|| Stop::Ended(ApiError::new(Code::LinkUsedUp)))? {
        state.sessions.end(&id, state.now());
    }
    Ok(())
}
