//! User keys, encrypted with the key-encryption key before they are stored.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::UserId;
use domain::user_key::{RetiredState, UserKeyVersion};

/// An encrypted key, base64url. Empty after the end of its version. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey(pub String);

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedKey(..)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKey {
    pub user: UserId,
    pub version: UserKeyVersion,
    pub key: SealedKey,
    /// The id of the administrator who made it for another person.
    pub made_by: Option<UserId>,
}

/// The next version of a user's key.
#[derive(Debug, Clone)]
pub struct NewUserKey {
    pub user: UserId,
    /// The newest number plus one; written only if that is still true.
    pub number: u32,
    pub key: SealedKey,
    pub made_by: Option<UserId>,
    /// The state of the previous version from now on.
    pub retired_state: RetiredState,
    /// `None` for an account's automatic first key.
    pub audit: Option<AuditEntry>,
    pub now: UnixMs,
}

#[async_trait]
pub trait UserKeys {
    /// Returns the newest versions, newest first.
    async fn user_keys(&self, user: &UserId, limit: u32) -> Result<Vec<UserKey>>;
    async fn user_key(&self, user: &UserId, number: u32) -> Result<Option<UserKey>>;
    /// Puts the next version into use. `false`: the number is taken, or the user does not exist.
    async fn add_user_key(&self, key: &NewUserKey) -> Result<bool>;
    /// Ends and erases a replaced version in its overlap. `false`: it is not such a version.
    async fn revoke_user_key(&self, user: &UserId, number: u32, audit: &AuditEntry, now: UnixMs) -> Result<bool>;
    /// Erases the keys of versions that ended before `over`, and deletes versions that ended before `old`.
    async fn sweep_user_keys(&self, over: UnixMs, old: UnixMs) -> Result<u64>;
}
