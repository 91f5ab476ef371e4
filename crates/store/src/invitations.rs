//! Invitations: one-time links that create one account each.

use crate::Result;
use crate::audit::AuditEntry;
use crate::mails::{AddMailOutcome, NewMail};
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use domain::profile::EmailAddress;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// ULID.
    pub id: String,
    /// SHA-256 of the link's code, base64url. The code itself is not stored.
    pub code_hash: CodeHash,
    /// The role of the new account.
    pub role: Role,
    /// A note about the invited person, by the administrator who made it.
    pub note: String,
    /// The id of the user who made it; `None`: the command line.
    pub made_by: Option<UserId>,
    pub created_at: UnixMs,
    pub expires_at: UnixMs,
    pub used_at: Option<UnixMs>,
    /// The id of the account that was created.
    pub used_by: Option<UserId>,
    pub revoked_at: Option<UnixMs>,
    /// The address that it was mailed to, until it is used or revoked.
    pub email: Option<EmailAddress>,
}

impl Invitation {
    pub fn is_open(&self, now: UnixMs) -> bool {
        self.used_at.is_none() && self.revoked_at.is_none() && now < self.expires_at
    }
}

#[async_trait]
pub trait Invitations {
    async fn add_invitation(&self, invitation: &Invitation, audit: &AuditEntry) -> Result<()>;
    /// Adds an invitation, and queues its message. The invitation gets the address only if the message was queued.
    async fn mail_invitation(
        &self,
        invitation: &Invitation,
        audit: &AuditEntry,
        mail: &NewMail,
    ) -> Result<AddMailOutcome>;
    /// Returns all stored invitations, newest first.
    async fn invitations(&self) -> Result<Vec<Invitation>>;
    /// Returns the invitations that can still be used, newest first.
    async fn open_invitations(&self, now: UnixMs) -> Result<Vec<Invitation>>;
    async fn invitation_by_code(&self, code_hash: &CodeHash) -> Result<Option<Invitation>>;
    /// Revokes an invitation. `false`: no open one has this id.
    async fn revoke_invitation(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool>;
    /// Deletes invitations that expired before then.
    async fn sweep_invitations(&self, before: UnixMs) -> Result<u64>;
}
