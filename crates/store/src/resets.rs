//! One-time links that set a forgotten password.

use crate::Result;
use crate::attempts::Attempt;
use crate::audit::Entry;
use crate::users::{PasswordHash, User};
use async_trait::async_trait;
use domain::UnixMs;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    pub user: String,
    /// SHA-256 of the link's code, base64url.
    pub code_hash: String,
    /// The id of the user who made it; `None`: the command line.
    pub made_by: Option<String>,
    pub created_at: UnixMs,
    pub expires_at: UnixMs,
}

/// A link that is used.
#[derive(Debug, Clone)]
pub struct UseReset {
    pub attempt: Attempt,
    pub code_hash: String,
    pub user: String,
    /// Digest of the name: its failures in a row are forgotten.
    pub account: String,
    pub hash: PasswordHash,
    pub audit: Entry,
    pub now: UnixMs,
}

#[async_trait]
pub trait Resets {
    /// Replaces the user's link, if there is one.
    async fn add_reset(&self, reset: &Reset, audit: &Entry) -> Result<()>;
    /// The user whose link this is, while it is good.
    async fn reset_of(&self, code_hash: &str, now: UnixMs) -> Result<Option<User>>;
    /// Uses the link up: sets the password, ends every session, forgets the account's failures. The
    /// attempt ends, whatever the answer is. The ids of the sessions that ended; `None`: the link is
    /// not good any more.
    async fn use_reset(&self, reset: &UseReset) -> Result<Option<Vec<String>>>;
    /// Deletes those that ran out.
    async fn sweep_resets(&self, now: UnixMs) -> Result<u64>;
}
