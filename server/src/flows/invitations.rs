//! Invitations: made and revoked by administrators, used up by sign-ups.

use crate::http::ApiError;
use crate::state::AppState;
use domain::account::Role;
use domain::invitation::{code, code_hash, lifetime_ms, note};
use store::audit::Entry;
use store::invitations::Invitation;
use wire::account::{NewInvitation, OneTimeLink};
use wire::paths;
use wire::problem::Code;

/// Makes an invitation. The link is shown now and never again: only its hash is kept.
///
/// # Errors
/// `bad_request` where role, note or hours cannot be.
pub async fn invite(state: &AppState, wish: &NewInvitation, audit: Entry) -> Result<OneTimeLink, ApiError> {
    let wrong = || ApiError::new(Code::BadRequest);
    let (code, now) = (code(&state.entropy.bytes()), state.now());
    let expires_at = now + lifetime_ms(wish.hours).ok_or_else(wrong)?;
    let invitation = Invitation {
        id: state.ulid(),
        code_hash: code_hash(&code),
        role: Role::parse(&wish.role).ok_or_else(wrong)?,
        note: note(&wish.note).ok_or_else(wrong)?,
        made_by: audit.actor.clone(),
        created_at: now,
        expires_at,
        used_at: None,
        used_by: None,
        revoked_at: None,
    };
    state.store.add_invitation(&invitation, &audit).await?;
    // Behind `#`: browsers keep that part to themselves.
    let link = format!("{}{}#code={code}", state.config.origin, paths::SIGNUP_PAGE);
    Ok(OneTimeLink { link, expires_at })
}

/// Those that can still be used, newest first.
///
/// # Errors
/// The store does not answer.
pub async fn open(state: &AppState) -> Result<Vec<wire::account::Invitation>, ApiError> {
    let now = state.now();
    let all = state.store.invitations().await?;
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
