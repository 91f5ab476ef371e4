//! One sign-up: the first account by the set-up code, others where sign-up is open.

use super::audit;
use super::issue::{self, Issued, Owner};
use super::sealed::{self, Received, Sealed, Stop};
use crate::config::SignupMode;
use crate::guards::client::Client;
use crate::http::ApiError;
use crate::state::AppState;
use crate::{passwords::common, setup};
use domain::account::{AccountDigest, AccountName, Role};
use domain::password::{BadPassword, check_length};
use store::audit::Event;
use store::users::{Added, NewUser, PasswordHash};
use wire::envelope::Kind;
use wire::problem::Code;
use wire::signup::NewAccount;
use zeroize::Zeroizing;

/// # Errors
/// What was refused. None of it counts as an attack: a set-up code cannot be guessed.
pub async fn signup(state: AppState, client: Client, sealed: Sealed) -> Result<Issued, ApiError> {
    let received = sealed::receive(&state, &client, sealed, Kind::Signup).await?;
    let attempt = received.attempt.clone();
    let result = decide(&state, &client, received).await;
    sealed::settle(&state, &attempt, result).await
}

async fn decide(state: &AppState, client: &Client, received: Received) -> Result<Issued, Stop> {
    let account: NewAccount =
        serde_json::from_slice(&received.plaintext).map_err(|_| ApiError::new(Code::BadEnvelope))?;
    let role = admit(state, account.code.as_deref()).await?;
    let name = AccountName::parse(&account.username).map_err(|_| ApiError::new(Code::NameInvalid))?;
    check_password(state, &name, &account.password).await?;

    let password = Zeroizing::new(account.password.as_bytes().to_vec());
    let hash = state.passwords.hash(&received.place, password, state.entropy.bytes()).await?;
    let user = state.ulid();
    let opening = issue::open(state, client, &user, None, received.keys.as_ref());
    let mut entry = audit::entry(state, client, Event::UserAdded, audit::OK);
    entry.user = Some(user.clone());
    entry.session = Some(opening.row.id.clone());
    let new_user = NewUser {
        id: user.clone(),
        name: name.clone(),
        password_hash: PasswordHash(hash),
        role,
        now: state.now(),
        only_first: role == Role::Administrator,
        audit: entry,
        session: Some(opening.row.clone()),
        attempt: Some(received.attempt.clone()),
    };
    match state.store.add_user(&new_user).await? {
        Added::Added => {
            let owner = Owner { user: &user, username: name.as_str(), role };
            issue::first(state, &owner, &AccountDigest::of(&state.keyring.macs.account, name.as_str()), &opening)
                .map_err(Stop::Ended)
        }
        Added::NameTaken => Err(ApiError::new(Code::NameTaken).into()),
        Added::NotFirst => Err(ApiError::new(Code::SignupClosed).into()),
    }
}

/// Who may sign up, and as what.
async fn admit(state: &AppState, code: Option<&str>) -> Result<Role, ApiError> {
    let first_run = state.store.user_count().await? == 0;
    let coded = code.is_some_and(|code| setup::is_code(&state.keyring, code, state.now()));
    match (first_run, coded, state.config.settings.signup.mode) {
        (true, true, _) => Ok(Role::Administrator),
        (false, _, SignupMode::Open) => Ok(Role::User),
        _ => Err(ApiError::new(Code::SignupClosed)),
    }
}

async fn check_password(state: &AppState, name: &AccountName, password: &str) -> Result<(), ApiError> {
    match check_length(password, state.config.settings.password.min) {
        Ok(()) => {}
        Err(BadPassword::TooShort) => return Err(ApiError::new(Code::PasswordTooShort)),
        Err(BadPassword::TooLong) => return Err(ApiError::new(Code::PasswordTooLong)),
    }
    let context = [name.as_str().to_owned(), state.config.settings.site.name.clone()];
    let password = Zeroizing::new(password.to_owned());
    let is_common = tokio::task::spawn_blocking(move || common::is_common(&password, &context));
    if is_common.await.map_err(ApiError::broken)? {
        return Err(ApiError::new(Code::PasswordCommon));
    }
    Ok(())
}
