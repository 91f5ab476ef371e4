//! Forgotten passwords: an operator's one-time link, and its use.

use super::actor::Actor;
use super::mail::{self, LinkMail, MailError};
use super::new_password;
use super::sealed::{self, AttemptError, OpenedMessage, SealedMessage};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::key_encryption::{KeyEncryptionError, KeyEncryptionKey};
use crate::state::AppState;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use domain::invitation::{RESET_MS, code};
use domain::mail::MailKind;
use domain::profile::EmailAddress;
use store::audit::{AuditEntry, AuditEvent, BY_MAIL};
use store::mails::{AddMailOutcome, NewMail};
use store::resets::{Reset, UseReset};
use wire::account::OneTimeLink;
use wire::envelope::EnvelopeKind;
use wire::password::PasswordReset;
use wire::paths;
use wire::problem::Code;

/// Creates a link for a user. Earlier ones stay valid until one of them is used.
///
/// # Errors
/// The store fails.
pub async fn link(actor: &Actor<'_>, user: &UserId) -> store::Result<OneTimeLink> {
    let (code, reset, audit) = new(actor, user, RESET_MS, "");
    actor.store.add_reset(&reset, &audit).await?;
    Ok(OneTimeLink {
        link: actor.link(paths::RESET_PAGE, &code),
        expires_at: reset.expires_at.as_millis(),
        mailed: None,
    })
}

/// Makes a link that the caller stores: its URL, its row, and the row of the audit log.
pub(crate) fn unstored(actor: &Actor<'_>, user: &UserId, lifetime_ms: i64) -> (String, Reset, AuditEntry) {
    let (code, reset, audit) = new(actor, user, lifetime_ms, "");
    (actor.link(paths::RESET_PAGE, &code), reset, audit)
}

/// Makes a link that the caller stores, with the message that sends it to an address.
///
/// # Errors
/// The key-encryption key cannot be used.
pub(crate) fn unstored_mail(
    actor: &Actor<'_>,
    key: &KeyEncryptionKey,
    user: &UserId,
    recipient: &EmailAddress,
    lifetime_ms: i64,
) -> Result<(Reset, AuditEntry, NewMail), KeyEncryptionError> {
    let (_, reset, audit, mail) = mailed(actor, key, user, recipient, lifetime_ms)?;
    Ok((reset, audit, mail))
}

/// Makes a new link with its code, its row in the audit log, and the message with it.
fn mailed(
    actor: &Actor<'_>,
    key: &KeyEncryptionKey,
    user: &UserId,
    recipient: &EmailAddress,
    lifetime_ms: i64,
) -> Result<(String, Reset, AuditEntry, NewMail), KeyEncryptionError> {
    let (code, reset, audit) = new(actor, user, lifetime_ms, BY_MAIL);
    let (kind, user, expires_at) = (MailKind::ResetLink, Some(user), reset.expires_at);
    let link = LinkMail { kind, user, recipient, audit: None, code: &code, expires_at };
    let mail = link.sealed(key, actor.entropy, actor.now)?;
    Ok((code, reset, audit, mail))
}

/// Creates a link, and mails it to the account's address too. Both are one write.
///
/// # Errors
/// Mail is off, the account has no address that is proved or vouched for, or the store fails.
pub async fn link_by_mail(actor: &Actor<'_>, key: &KeyEncryptionKey, user: &UserId) -> Result<OneTimeLink, MailError> {
    if actor.config.settings.mail.server.is_none() {
        return Err(MailError::Off);
    }
    let recipient = mail::sure_address(actor.store, user).await?;
    let (code, reset, audit, mail) = mailed(actor, key, user, &recipient, RESET_MS)?;
    let mailed = actor.store.add_mailed_reset(&reset, &audit, &mail).await? == AddMailOutcome::Queued;
    let link = actor.link(paths::RESET_PAGE, &code);
    Ok(OneTimeLink { link, expires_at: reset.expires_at.as_millis(), mailed: Some(mailed) })
}

/// Makes a new link, with its code and its row in the audit log.
fn new(actor: &Actor<'_>, user: &UserId, lifetime_ms: i64, about: &str) -> (String, Reset, AuditEntry) {
    let code = code(&actor.entropy.bytes());
    let audit = AuditEntry { about: about.to_owned(), ..actor.entry_of(AuditEvent::ResetMade, user) };
    let reset = Reset {
        user: user.to_owned(),
        code_hash: CodeHash::of(&code),
        made_by: audit.actor.clone(),
        created_at: actor.now,
        expires_at: actor.now + lifetime_ms,
    };
    (code, reset, audit)
}

/// Sets the password by a one-time link. Every session ends, and nobody is signed in.
///
/// # Errors
/// The refusal. None counts as an attack, because a code cannot be guessed.
pub async fn reset(state: AppState, client: Client, sealed: SealedMessage) -> Result<(), ApiError> {
    let received = sealed::receive(&state, &client, sealed, EnvelopeKind::Reset).await?;
    let attempt = received.attempt.clone();
    let result = decide(&state, &client, received).await;
    sealed::settle(&state, &attempt, result).await
}

async fn decide(state: &AppState, client: &Client, received: OpenedMessage) -> Result<(), AttemptError> {
    let request: PasswordReset =
        serde_json::from_slice(&received.plaintext).map_err(|_| ApiError::new(Code::BadEnvelope))?;
    let code_hash = CodeHash::of(&request.code);
    let user = state.store.reset_of(&code_hash, state.now()).await?;
    let Some(user) = user else {
        let entry = audit::entry(state, client, AuditEvent::PasswordSet, audit::WRONG_CODE);
        audit::note(&state.defence, client, entry).await?;
        return Err(ApiError::new(Code::LinkUsedUp).into());
    };
    new_password::check(state, &user.name, &request.password).await?;
    let hash = new_password::hash(state, &received.permit, &request.password).await?;
    let mut entry = audit::entry(state, client, AuditEvent::PasswordSet, audit::OK);
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
    for id in ended.ok_or_else(|| AttemptError::Ended(ApiError::new(Code::LinkUsedUp)))? {
        state.sessions.end(&id, state.now());
    }
    Ok(())
}
