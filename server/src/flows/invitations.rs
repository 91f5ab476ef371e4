//! Invitations: created and revoked by operators, consumed by sign-ups.

use super::operator::Operator;
use domain::UnixMs;
use domain::account::Role;
use domain::invitation::{MOST_HOURS, code, code_hash, lifetime_ms, note};
use store::Store;
use store::audit::Event;
use store::invitations::Invitation;
use wire::account::OneTimeLink;
use wire::paths;

/// The reason why none was created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("an invitation is valid for 1 to {MOST_HOURS} hours")]
    Hours,
    #[error("a note is one line of at most 100 characters")]
    Note,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Creates an invitation. The link is shown only now, because only its hash is stored.
///
/// # Errors
/// Hours or note are invalid, or the store fails.
pub async fn invite(operator: &Operator<'_>, role: Role, text: &str, hours: u32) -> Result<OneTimeLink, Error> {
    let code = code(&operator.entropy.bytes());
    let expires_at = operator.now + lifetime_ms(hours).ok_or(Error::Hours)?;
    let audit = operator.entry(Event::InvitationMade, "");
    let invitation = Invitation {
        id: operator.entropy.ulid(operator.now),
        code_hash: code_hash(&code),
        role,
        note: note(text).ok_or(Error::Note)?,
        made_by: audit.actor.clone(),
        created_at: operator.now,
        expires_at,
        used_at: None,
        used_by: None,
        revoked_at: None,
    };
    operator.store.add_invitation(&invitation, &audit).await?;
    Ok(OneTimeLink { link: operator.link(paths::SIGNUP_PAGE, &code), expires_at })
}

/// Revokes an invitation. `false`: no unused one has this id.
///
/// # Errors
/// The store fails.
pub async fn revoke(operator: &Operator<'_>, id: &str) -> store::Result<bool> {
    let audit = operator.entry(Event::InvitationRevoked, "");
    operator.store.revoke_invitation(id, &audit, operator.now).await
}

/// Returns the unused invitations, newest first.
///
/// # Errors
/// The store fails.
pub async fn open(store: &dyn Store, now: UnixMs) -> store::Result<Vec<wire::account::Invitation>> {
    let all = store.invitations().await?;
    let open = all.into_iter().filter(|invitation| invitation.is_open(now));
    Ok(open.map(shown).collect())
}

fn shown(invitation: Invitation) -> wire::account::Invitation {
    wire::account::Invitation {
        id: invitation.id,
        role: invitation.role.as_str().to_owned(),
        note: invitation.note,
        created_at: invitation.created_at,
        expires_at: invitation.expires_at,
    }
}
