//! A sign-up: the first account by the set-up code, others by invitation or open sign-up.

use super::issue::{self, IssuedTokens, SessionOwner};
use super::new_password;
use super::sealed::{self, AttemptError, OpenedMessage, SealedMessage};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::config::SignupMode;
use crate::setup;
use crate::state::AppState;
use crate::user_keys;
use domain::account::{AccountName, InvalidAccountName, Role};
use domain::authentication::Methods;
use domain::code_hash::CodeHash;
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
    let Some((role, invitation)) = admit(state, account.code.as_deref()).await? else {
        if account.code.is_some() {
            let entry = audit::entry(state, client, AuditEvent::UserAdded, audit::WRONG_CODE);
            audit::note(state, client, entry).await?;
        }
        return Err(ApiError::new(Code::SignupClosed).into());
    };
    let name = AccountName::parse(&account.username).map_err(invalid)?;
    new_password::check(state, name.as_str(), &account.password).await?;

    let hash = new_password::hash(state, &received.permit, &account.password).await?;
    let user = state.ulid();
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
        AddUserOutcome::NotFirst | AddUserOutcome::NotInvited => Err(ApiError::new(Code::SignupClosed).into()),
    }
}

fn invalid(bad: InvalidAccountName) -> ApiError {
    ApiError::new(match bad {
        InvalidAccountName::Length | InvalidAccountName::Characters => Code::NameInvalid,
        InvalidAccountName::MixedScripts => Code::NameMixedScripts,
    })
}

/// Returns the role of the new account and the invitation that it consumes; `None`: this client may not sign up.
async fn admit(state: &AppState, code: Option<&str>) -> Result<Option<(Role, Option<String>)>, ApiError> {
    if !state.store.has_users().await? {
        let coded = code.is_some_and(|code| setup::is_code(&state.keyring, code, state.now()));
        return Ok(coded.then_some((Role::Administrator, None)));
    }
    match (state.config.settings.signup.mode, code) {
        (SignupMode::Closed, _) | (SignupMode::Invite, None) => Ok(None),
        (SignupMode::Open, None) => Ok(Some((Role::User, None))),
        (SignupMode::Open | SignupMode::Invite, Some(code)) => {
            let invitation = state.store.invitation_by_code(&CodeHash::of(code)).await?;
            let invitation = invitation.filter(|invitation| invitation.is_open(state.now()));
            Ok(invitation.map(|invitation| (invitation.role, Some(invitation.id))))
        }
    }
}
