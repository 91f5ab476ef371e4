//! People's own keys, encrypted by the key-encryption key before they come here.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::user_key::{Parting, Version};

/// A key, encrypted, base64url. Empty once its version is over. `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey(pub String);

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedKey(..)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKey {
    pub user: String,
    pub version: Version,
    pub key: SealedKey,
    /// The id of the administrator who made it for somebody else.
    pub made_by: Option<String>,
}

/// The next version of a user's key.
#[derive(Debug, Clone)]
pub struct NewUserKey {
    pub user: String,
    /// One more than the newest: it is written only if it still is.
    pub number: u32,
    pub key: SealedKey,
    pub made_by: Option<String>,
    /// What becomes of the one before.
    pub parting: Parting,
    /// Nobody did anything where a first key is made for an account that has none.
    pub audit: Option<Entry>,
    pub now: UnixMs,
}

#[async_trait]
pub trait UserKeys {
    /// The newest versions, newest first.
    async fn user_keys(&self, user: &str, limit: u32) -> Result<Vec<UserKey>>;
    async fn user_key(&self, user: &str, number: u32) -> Result<Option<UserKey>>;
    /// Puts the next version into use. `false`: it is not the next one any more, or there is no such user.
    async fn add_user_key(&self, key: &NewUserKey) -> Result<bool>;
    /// Ends and erases a version that was replaced and still serves. `false`: it is no such one.
    async fn revoke_user_key(&self, user: &str, number: u32, audit: &Entry, now: UnixMs) -> Result<bool>;
    /// Erases the keys of versions that ended before `over`, and deletes versions that ended before `old`.
    async fn sweep_user_keys(&self, over: UnixMs, old: UnixMs) -> Result<u64>;
}
