//! Invitations: created and revoked by operators, consumed by sign-ups.

use super::actor::Actor;
use super::mail::{LinkMail, MailError};
use crate::key_encryption::KeyEncryptionKey;
use domain::UnixMs;
use domain::account::Role;
use domain::code_hash::CodeHash;
use domain::invitation::{MOST_HOURS, code, lifetime_ms, note};
use domain::mail::MailKind;
use domain::profile::{EmailAddress, InvalidEmailAddress};
use store::Store;
use store::audit::{AuditEntry, AuditEvent};
use store::invitations::Invitation;
use store::mails::AddMailOutcome;
use wire::account::OneTimeLink;
use wire::paths;

/// The reason why none was created.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    #[error("an invitation is valid for 1 to {MOST_HOURS} hours")]
    Hours,
    #[error("a note is one line of at most 100 characters")]
    Note,
    #[error(transparent)]
    Address(#[from] InvalidEmailAddress),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Creates an invitation. The link is shown only now, because only its hash is stored.
///
/// # Errors
/// Hours or note are invalid, or the store fails.
pub async fn invite(actor: &Actor<'_>, role: Role, text: &str, hours: u32) -> Result<OneTimeLink, InvitationError> {
    let (code, invitation, audit) = new(actor, role, text, hours)?;
    actor.store.add_invitation(&invitation, &audit).await?;
    Ok(OneTimeLink {
        link: actor.link(paths::SIGNUP_PAGE, &code),
        expires_at: invitation.expires_at.as_millis(),
        mailed: None,
    })
}

/// Creates an invitation, and mails its link too. If the message was queued, the new account gets the address as vouched
/// for, because an administrator named it. The link itself proves nothing: the administrator sees it too.
///
/// # Errors
/// The address, hours or note are invalid, mail is off, or the store fails. Then no invitation was created.
pub async fn invite_by_mail(
    actor: &Actor<'_>,
    key: &KeyEncryptionKey,
    role: Role,
    text: &str,
    hours: u32,
    email: &str,
) -> Result<OneTimeLink, InvitationError> {
    if actor.config.settings.mail.server.is_none() {
        return Err(MailError::Off.into());
    }
    let recipient = EmailAddress::parse(email)?;
    let (code, invitation, audit) = new(actor, role, text, hours)?;
    let expires_at = invitation.expires_at;
    let link = LinkMail {
        kind: MailKind::Invitation,
        user: None,
        recipient: &recipient,
        audit: None,
        code: &code,
        expires_at,
    };
    let mail = link.sealed(key, actor.entropy, actor.now).map_err(MailError::from)?;
    let mailed = actor.store.mail_invitation(&invitation, &audit, &mail).await? == AddMailOutcome::Queued;
    Ok(OneTimeLink {
        link: actor.link(paths::SIGNUP_PAGE, &code),
        expires_at: expires_at.as_millis(),
        mailed: Some(mailed),
    })
}

/// Makes a new invitation, with its code and its row in the audit log.
fn new(
    actor: &Actor<'_>,
    role: Role,
    text: &str,
    hours: u32,
) -> Result<(String, Invitation, AuditEntry), InvitationError> {
    let code = code(&actor.entropy.bytes());
    let expires_at = actor.now + lifetime_ms(hours).ok_or(InvitationError::Hours)?;
    let audit = actor.entry(AuditEvent::InvitationMade, "");
    let invitation = Invitation {
        id: actor.entropy.ulid(actor.now),
        code_hash: CodeHash::of(&code),
        role,
        note: note(text).ok_or(InvitationError::Note)?,
        made_by: audit.actor.clone(),
        created_at: actor.now,
        expires_at,
        used_at: None,
        used_by: None,
        revoked_at: None,
        email: None,
    };
    Ok((code, invitation, audit))
}

/// Revokes an invitation. `false`: no unused one has this id.
///
/// # Errors
/// The store fails.
pub async fn revoke(actor: &Actor<'_>, id: &str) -> store::Result<bool> {
    let audit = actor.entry(AuditEvent::InvitationRevoked, "");
    actor.store.revoke_invitation(id, &audit, actor.now).await
}

/// Returns the unused invitations, newest first.
///
/// # Errors
/// The store fails.
pub async fn open(store: &dyn Store, now: UnixMs) -> store::Result<Vec<wire::account::Invitation>> {
    Ok(store.open_invitations(now).await?.into_iter().map(shown).collect())
}

fn shown(invitation: Invitation) -> wire::account::Invitation {
    wire::account::Invitation {
        id: invitation.id,
        role: invitation.role.as_str().to_owned(),
        note: invitation.note,
        created_at: invitation.created_at.as_millis(),
        expires_at: invitation.expires_at.as_millis(),
    }
}
