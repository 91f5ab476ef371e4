//! One-time links that set a forgotten password.

use crate::Result;
use crate::attempts::Attempt;
use crate::audit::AuditEntry;
use crate::mails::{AddMailOutcome, NewMail};
use crate::users::{PasswordHash, User};
use async_trait::async_trait;
use domain::UnixMs;
use domain::code_hash::CodeHash;
use domain::ids::{SessionId, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    pub user: UserId,
    /// SHA-256 of the link's code, base64url.
    pub code_hash: CodeHash,
    /// The id of the user who made it, which is the owner for a forgotten password; `None`: the command line.
    pub made_by: Option<UserId>,
    pub created_at: UnixMs,
    pub expires_at: UnixMs,
}

/// A link that is used.
#[derive(Debug, Clone)]
pub struct UseReset {
    pub attempt: Attempt,
    pub code_hash: CodeHash,
    pub user: UserId,
    /// Digest of the name, whose failures in a row are deleted.
    pub account: String,
    pub hash: PasswordHash,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// The result of a person's request for a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailResetOutcome {
    Queued,
    /// The address had enough of these messages in this hour.
    OverLimit,
    /// This installation sends no mail.
    Off,
}

#[async_trait]
pub trait Resets {
    /// Stores a link. The user's earlier ones stay valid, at most three of one maker.
    async fn add_reset(&self, reset: &Reset, audit: &AuditEntry) -> Result<()>;
    /// As [`Self::add_reset`], and queues the link's message in the same transaction. The link is stored even if no
    /// message may be sent, because it is shown to the administrator too.
    async fn add_mailed_reset(&self, reset: &Reset, audit: &AuditEntry, mail: &NewMail) -> Result<AddMailOutcome>;
    /// Stores a link that the owner asked for, and queues its message.
    async fn mail_reset(&self, reset: &Reset, audit: &AuditEntry, mail: &NewMail) -> Result<MailResetOutcome>;
    /// Returns the user of a valid link.
    async fn reset_of(&self, code_hash: &CodeHash, now: UnixMs) -> Result<Option<User>>;
    /// Consumes the link and the user's others: sets the password, ends every session, deletes the account's failures. The attempt ends in
    /// any case. Returns the ids of the ended sessions; `None`: the link is no longer valid.
    async fn use_reset(&self, reset: &UseReset) -> Result<Option<Vec<SessionId>>>;
    /// Deletes expired links.
    async fn sweep_resets(&self, now: UnixMs) -> Result<u64>;
}
