//! Accepts a sign-in: stores the session and issues its first tokens.

use super::issue::{self, IssuedTokens, SessionOwner};
use super::sealed::{AttemptError, OpenedMessage};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::state::SessionState;
use domain::account::AccountDigest;
use domain::authentication::Methods;
use store::attempts::Acceptance;
use store::audit::AuditEvent;
use store::given_codes::GivenCode;
use store::remembered_devices::DeviceMemory;
use store::users::{PasswordHash, User};
use wire::problem::Code;

/// A sign-in whose factors were all right.
#[derive(Debug)]
pub struct SignIn<'a> {
    pub user: &'a User,
    pub account: &'a AccountDigest,
    /// The hash of the checked password, if one was checked.
    pub judged_by: Option<PasswordHash>,
    pub methods: Methods,
    /// From [`store::attempts::LoginContext::forgivable`].
    pub forgive: bool,
    /// From [`outcome`].
    pub outcome: &'static str,
    /// The id of the pending sign-in that this finishes.
    pub pending: Option<String>,
    pub memory: DeviceMemory,
    /// The code that was given, which is used up in the same write.
    pub code: Option<GivenCode>,
}

/// Returns the outcome for the audit log.
pub fn outcome(client: &Client, user: &User, known_network: bool) -> &'static str {
    match client.known {
        // The very first sign-in cannot come from a new place.
        None if user.signed_in_at.is_none() => audit::OK,
        None => audit::NEW_DEVICE,
        Some(_) if !known_network => audit::NEW_PLACE,
        Some(_) => audit::OK,
    }
}

/// Stores the session and issues its first tokens.
///
/// # Errors
/// `wrong_credentials`: the account was disabled, or its password changed, since it was read; the pending sign-in is
/// over; the code was used; or the device is not remembered any more.
pub async fn accept(
    state: &SessionState,
    client: &Client,
    received: &OpenedMessage,
    sign_in: SignIn<'_>,
) -> Result<IssuedTokens, AttemptError> {
    let SignIn { user, account, judged_by, methods, forgive, outcome, pending, memory, code } = sign_in;
    let remembered = matches!(memory, DeviceMemory::Remembered(_));
    let opening = issue::open(state, client, &user.id, judged_by, methods, received.keys.as_ref());
    let mut entry = audit::entry(state, client, AuditEvent::Login, outcome);
    entry.user = Some(user.id.clone());
    entry.session = Some(opening.row.id.clone());
    if remembered {
        "remembered device".clone_into(&mut entry.about);
    }
    let acceptance = Acceptance {
        attempt: received.attempt.clone(),
        account: account.as_str().to_owned(),
        session: opening.row.clone(),
        forgive,
        pending,
        memory,
        code,
        audit: entry,
        now: opening.row.now,
    };
    if !state.store.accept(&acceptance).await? {
        return Err(AttemptError::Ended(ApiError::new(Code::WrongCredentials)));
    }
    let owner = SessionOwner { user: &user.id, username: &user.name, role: user.role };
    issue::first(state, &owner, account, &opening, received.delivery).map_err(AttemptError::Ended)
}
