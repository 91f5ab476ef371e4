//! Tokens with which clients register themselves (RFC 7591, section 3).

use super::actor::Actor;
use domain::encoding::{base64url, sha256};
use store::audit::AuditEvent;
use store::oauth_registrations::InitialToken;
use wire::clients::RegistrationToken;

/// Makes a token and returns it.
///
/// # Errors
/// The store fails.
pub async fn make(actor: &Actor<'_>, note: &str, uses: u32, hours: u32) -> store::Result<String> {
    let secret = actor.entropy.secret();
    let token = InitialToken {
        token_hash: base64url(&sha256(secret.as_bytes())),
        note: note.to_owned(),
        uses_left: uses,
        created_at: actor.now,
        expires_at: actor.now + i64::from(hours) * 60 * 60_000,
    };
    let audit = actor.entry(AuditEvent::ClientAdded, format!("token for {uses} registrations"));
    actor.store.add_initial_token(&token, &audit).await?;
    Ok(secret)
}

/// Returns the tokens with which clients may still register themselves, newest first.
///
/// # Errors
/// The store fails.
pub async fn list(actor: &Actor<'_>) -> store::Result<Vec<RegistrationToken>> {
    let shown = |token: InitialToken| RegistrationToken {
        id: token.token_hash,
        note: token.note,
        uses_left: token.uses_left,
        created_at: token.created_at.as_millis(),
        expires_at: token.expires_at.as_millis(),
    };
    Ok(actor.store.initial_tokens(actor.now).await?.into_iter().map(shown).collect())
}

/// Revokes a token. `false`: none has this id.
///
/// # Errors
/// The store fails.
pub async fn revoke(actor: &Actor<'_>, id: &str) -> store::Result<bool> {
    let audit = actor.entry(AuditEvent::ClientRemoved, format!("token {id} for registrations"));
    actor.store.remove_initial_token(id, &audit).await
}
