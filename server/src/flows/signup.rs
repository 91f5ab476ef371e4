//! A sign-up: the first account by the set-up code, others by invitation or open sign-up.

use super::issue::{self, IssuedTokens, SessionOwner};
use super::new_password;
use super::sealed::{self, AttemptError, OpenedMessage, SealedMessage};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::config::SignupMode;
use crate::setup;
use crate::state::{AppState, SessionState};
use crate::user_keys;
use domain::account::{AccountName, InvalidAccountName, Role, is_reserved};
use domain::authentication::Methods;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use store::audit::AuditEvent;
use store::users::{AddUserOutcome, NewUser};
use wire::envelope::EnvelopeKind;
use wire::problem::Code;
use wire::signup::NewAccount;

/// Creates an account and signs the person in.
///
/// # Errors
/// The refusal. None counts as an attack, because a set-up code cannot be guessed.
pub async fn signup(state: AppState, client: Client, sealed: SealedMessage) -> Result<IssuedTokens, ApiError> {
    let received = sealed::receive(&state, &client, sealed, EnvelopeKind::Signup).await?;
    let attempt = received.attempt.clone();
    let result = decide(&state, &client, received).await;
    sealed::settle(&state, &attempt, result).await
}

async fn decide(state: &AppState, client: &Client, received: OpenedMessage) -> Result<IssuedTokens, AttemptError> {
    let account: NewAccount =
        serde_json::from_slice(&received.plaintext).map_err(|_| ApiError::new(Code::BadEnvelope))?;
    let (role, invitation) = match admit(state, account.code.as_deref()).await? {
        Ok(admitted) => admitted,
        Err(reason) => {
            if account.code.is_some() {
                let entry = audit::entry(state, client, AuditEvent::UserAdded, audit::WRONG_CODE);
                audit::note(&state.defence, client, entry).await?;
            }
            return Err(refused(reason).into());
        }
    };
    let name = AccountName::parse(&account.username).map_err(invalid)?;
    // An administrator may have such a name: the first account often does.
    if role == Role::User && is_reserved(&name) {
        return Err(ApiError::explained(Code::NameTaken, RESERVED).into());
    }
    new_password::check(state, name.as_str(), &account.password).await?;

    let hash = new_password::hash(state, &received.permit, &account.password).await?;
    let user = UserId::from(state.ulid());
    let opening = issue::open(state, client, &user, None, Methods::PASSWORD, received.keys.as_ref());
    let mut entry = audit::entry(state, client, AuditEvent::UserAdded, audit::OK);
    entry.user = Some(user.clone());
    entry.session = Some(opening.row.id.clone());
    let new_user = NewUser {
        id: user.clone(),
        name: name.clone(),
        password_hash: hash,
        role,
        key: user_keys::make(&state.key_encryption, &*state.entropy, &user, 1)?,
        now: state.now(),
        only_first: role == Role::Administrator && invitation.is_none(),
        invitation,
        audit: entry,
        session: Some(opening.row.clone()),
        attempt: Some(received.attempt.clone()),
    };
    match state.store.add_user(&new_user).await? {
        AddUserOutcome::Added => {
            let owner = SessionOwner { user: &user, username: name.as_str(), role };
            let account = state.keyring.digests.account(name.as_str());
            issue::first(state, &owner, &account, &opening, received.delivery).map_err(AttemptError::Ended)
        }
        AddUserOutcome::NameTaken => Err(ApiError::new(Code::NameTaken).into()),
        AddUserOutcome::NameConfusable => Err(ApiError::new(Code::NameConfusable).into()),
        AddUserOutcome::NotFirst => Err(refused(NOT_FIRST).into()),
        AddUserOutcome::NotInvited => Err(refused(USED).into()),
    }
}

fn invalid(bad: InvalidAccountName) -> ApiError {
    match bad {
        InvalidAccountName::Length | InvalidAccountName::Characters => ApiError::new(Code::NameInvalid),
        InvalidAccountName::Marks => ApiError::explained(Code::NameInvalid, MARKS),
        InvalidAccountName::MixedScripts => ApiError::new(Code::NameMixedScripts),
    }
}

const CLOSED: &str = "Sign-up is closed on this site. Links to it no longer work: ask the person who runs this site for \
                      an account.";
const NO_INVITATION: &str = "Signing up here needs an invitation. Ask the person who runs this site for one.";
const NO_SETUP: &str = "This is not the set-up link that is valid now. Run \u{201c}postern setup\u{201d} on the server, and \
                        open the link that it prints.";
const NOT_FIRST: &str = "The first account was created a moment ago. If it was you, sign in. Otherwise ask the person who \
                         runs this site for an invitation.";
const MARKS: &str =
    "This name has accents that cross a letter, repeat, pile up or hide on the dot of an i. Leave them out.";
const RESERVED: &str = "This name is reserved for the people who run this site. Choose another one.";
const UNKNOWN: &str = "This link is not complete, or not valid any more. If you have just created your account with it, \
                       sign in. Otherwise open it again as you got it, or ask for a new one.";
const USED: &str = "This invitation was already used. If you have just created your account with it, sign in. Otherwise \
                    ask for a new one.";
const REVOKED: &str = "This invitation was withdrawn. Ask the person who gave it to you for a new one.";
const EXPIRED: &str = "This invitation has expired. Ask the person who gave it to you for a new one.";

fn refused(reason: &'static str) -> ApiError {
    ApiError::explained(Code::SignupClosed, reason)
}

/// Returns the role of the new account and the invitation that it consumes, or the reason why this client may not sign
/// up.
async fn admit(
    state: &SessionState,
    code: Option<&str>,
) -> Result<Result<(Role, Option<String>), &'static str>, ApiError> {
    if !state.store.has_users().await? {
        let coded = code.is_some_and(|code| setup::is_code(&state.keyring, code, state.now()));
        return Ok(if coded { Ok((Role::Administrator, None)) } else { Err(NO_SETUP) });
    }
    let code = match (state.config.settings.signup.mode, code) {
        (SignupMode::Closed, _) => return Ok(Err(CLOSED)),
        (SignupMode::Invite, None) => return Ok(Err(NO_INVITATION)),
        (SignupMode::Open, None) => return Ok(Ok((Role::User, None))),
        (SignupMode::Open | SignupMode::Invite, Some(code)) => code,
    };
    let Some(invitation) = state.store.invitation_by_code(&CodeHash::of(code)).await? else { return Ok(Err(UNKNOWN)) };
    Ok(match invitation {
        invitation if invitation.is_open(state.now()) => Ok((invitation.role, Some(invitation.id))),
        invitation if invitation.used_at.is_some() => Err(USED),
        invitation if invitation.revoked_at.is_some() => Err(REVOKED),
        _ => Err(EXPIRED),
    })
}
