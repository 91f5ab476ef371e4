//! Passkeys: public keys of accounts (W3C Web Authentication).

use crate::Result;
use crate::attempts::Attempt;
use crate::audit::AuditEntry;
use crate::sessions::NewSession;
use crate::user::User;
use async_trait::async_trait;
use domain::UnixMs;
use domain::client_key::ClientKey;
use domain::ids::UserId;
use domain::passkey::PasskeyState;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// A ULID, for paths and pages.
    pub id: String,
    /// The authenticator's name for it, base64url.
    pub credential_id: String,
    pub user: UserId,
    /// The host that it was registered for, and works for.
    pub relying_party: String,
    /// A COSE key, base64url.
    pub public_key: String,
    /// The authenticator's model, by its own statement.
    pub aaguid: String,
    /// The transports of the authenticator, by its own statement: "internal hybrid".
    pub transports: String,
    /// Whether the person was verified at the registration.
    pub user_verified: bool,
    pub state: PasskeyState,
    pub label: String,
    pub created_at: UnixMs,
    /// The last sign-in.
    pub used_at: Option<UnixMs>,
}

#[derive(Debug, Clone)]
pub struct NewPasskey {
    pub passkey: Passkey,
    /// The challenge's `short_key`, which is used up in the same transaction.
    pub short_key: String,
    pub short_key_expires_at: UnixMs,
    /// Maximum number of passkeys of the account.
    pub most: u32,
    /// Hashes of recovery codes, if the account needs some and has none yet.
    pub recovery_codes: Vec<String>,
    pub audit: AuditEntry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddPasskeyOutcome {
    Added,
    /// The challenge was used before.
    Replayed,
    /// An account has a passkey of this credential id.
    Taken,
    /// The account has the maximum or no user handle, or is deleted or disabled.
    Full,
}

/// A passkey with its owner, as a sign-in needs it.
#[derive(Debug, Clone)]
pub struct PasskeyOwner {
    pub passkey: Passkey,
    pub user: User,
    /// The account's user handle, base64url.
    pub handle: String,
}

/// The use of a passkey.
#[derive(Debug, Clone)]
pub struct UsedPasskey {
    pub id: String,
    pub user: UserId,
    /// The host of this site, for which the passkey must have been made.
    pub relying_party: String,
    /// The new state.
    pub state: PasskeyState,
    pub now: UnixMs,
}

/// An accepted sign-in with a passkey.
#[derive(Debug, Clone)]
pub struct PasskeyAcceptance {
    pub attempt: Attempt,
    /// The client and the account's digest, whose success counts for the spray rule.
    pub client_key: ClientKey,
    pub account: String,
    pub passkey: UsedPasskey,
    /// The pending sign-in that this finishes, by its id.
    pub pending: Option<String>,
    /// Whether failures of this client for the account are deleted, as after a sign-in by password.
    pub forgive: bool,
    pub session: NewSession,
    /// The sign-in, and changes of the passkey that its owner should know of.
    pub audit: Vec<AuditEntry>,
    pub now: UnixMs,
}

#[async_trait]
pub trait Passkeys {
    /// Returns the passkeys of an account, oldest first.
    async fn passkeys(&self, user: &UserId) -> Result<Vec<Passkey>>;
    /// Returns the account's user handle, if it has one.
    async fn passkey_handle(&self, user: &UserId) -> Result<Option<String>>;
    /// Returns the account's user handle; stores `fresh` as such if it has none.
    async fn ensure_passkey_handle(&self, user: &UserId, fresh: &str) -> Result<String>;
    async fn passkey_owner(&self, credential_id: &str) -> Result<Option<PasskeyOwner>>;
    async fn add_passkey(&self, new: &NewPasskey) -> Result<AddPasskeyOutcome>;
    /// Renames a passkey. `false`: the account has no such passkey.
    async fn rename_passkey(&self, user: &UserId, id: &str, label: &str, audit: &AuditEntry) -> Result<bool>;
    /// Removes a passkey. `false`: the account has no such passkey.
    async fn remove_passkey(&self, user: &UserId, id: &str, audit: &AuditEntry) -> Result<bool>;
    /// Ends the attempt as accepted: stores the passkey's state and inserts session and audit rows. `false`: the
    /// passkey or the account does not exist, the counter does not rise, the account is disabled, or the pending sign-in
    /// has expired; then no session begins.
    async fn accept_passkey(&self, acceptance: &PasskeyAcceptance) -> Result<bool>;
    /// Returns the number of passkeys for each host.
    async fn passkey_hosts(&self) -> Result<Vec<(String, u64)>>;
}
