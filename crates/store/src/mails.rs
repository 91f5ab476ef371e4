//! The queue of messages to send, and the proofs of e-mail addresses.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use domain::mail::MailKind;
use domain::profile::EmailAddress;

/// Maximum number of messages in a list.
pub const MOST_LISTED: i64 = 1_000;
/// How long the limit remains after the last node that sends mail has renewed it.
pub const LIMIT_KEPT_MS: i64 = 60 * 60_000;

/// A message with a link.
#[derive(Clone)]
pub struct NewMail {
    /// ULID.
    pub id: String,
    pub kind: MailKind,
    /// The account that the message is about; `None`: there is none yet.
    pub user: Option<UserId>,
    pub recipient: EmailAddress,
    /// The id of the audit row that says who asked for it.
    pub audit: Option<String>,
    /// The link's code under the key-encryption key.
    pub sealed: String,
    pub link_expires_at: UnixMs,
    pub now: UnixMs,
}

impl std::fmt::Debug for NewMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMail").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddMailOutcome {
    Queued,
    /// This address had enough messages in this hour.
    OverLimit,
    /// This installation sends no mail.
    Off,
}

/// A message in the queue.
#[derive(Clone, PartialEq, Eq)]
pub struct QueuedMail {
    pub id: String,
    pub kind: MailKind,
    pub user: Option<UserId>,
    pub recipient: String,
    /// The id of the audit row that a notice reports, or that says who asked for a link.
    pub audit: Option<String>,
    /// Empty: the message has no link, or its code was erased.
    pub sealed: String,
    pub link_expires_at: Option<UnixMs>,
    pub created_at: UnixMs,
    pub deadline: UnixMs,
    /// Number of attempts that began.
    pub tries: u32,
    pub next_at: UnixMs,
    /// The error of the last attempt.
    pub failure: String,
    pub given_up_at: Option<UnixMs>,
}

impl std::fmt::Debug for QueuedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueuedMail").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The end of a failed attempt.
#[derive(Debug, Clone)]
pub struct FailedMail {
    pub id: String,
    /// [`QueuedMail::tries`] of the claim; another node's later claim is left alone.
    pub tries: u32,
    pub failure: String,
    /// `None`: the message is given up.
    pub next_at: Option<UnixMs>,
    pub now: UnixMs,
}

/// Numbers of messages in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailCounts {
    pub waiting: u64,
    pub given_up: u64,
}

/// A new link that proves the present address of an account.
#[derive(Debug, Clone)]
pub struct BeginEmailProof {
    pub user: UserId,
    pub code_hash: CodeHash,
    /// Its recipient is the address, and its link expires with the proof.
    pub mail: NewMail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginEmailProofOutcome {
    Queued,
    /// The account or the address had enough messages in this hour.
    OverLimit,
    Off,
    /// The account has another address, or this one needs no proof.
    NotUnproved,
}

/// A link that is used.
#[derive(Debug, Clone)]
pub struct ProveEmail {
    pub user: UserId,
    pub code_hash: CodeHash,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProveEmailOutcome {
    Proved,
    /// No such link is valid for this account and its present address.
    UsedUp,
    /// Another account has this address, proved or vouched for.
    EmailTaken,
}

#[async_trait]
pub trait Mails {
    /// Sets how many messages of one kind an address gets in an hour. Each node that sends mail repeats it, and
    /// [`Self::sweep_mails`] deletes it after [`LIMIT_KEPT_MS`]: then this installation sends no mail, and events write no
    /// notices into the queue.
    async fn renew_mail_limit(&self, per_hour: u32, now: UnixMs) -> Result<()>;
    /// Returns the limit; `None`: this installation sends no mail.
    async fn mail_limit(&self) -> Result<Option<u32>>;
    async fn add_mail(&self, mail: &NewMail) -> Result<AddMailOutcome>;
    /// Returns messages whose next attempt is due, oldest first.
    async fn due_mails(&self, now: UnixMs, limit: u32) -> Result<Vec<QueuedMail>>;
    /// Claims a message for one attempt, which nobody else makes before `until`. `false`: another node was faster, or
    /// the message is gone.
    async fn claim_mail(&self, mail: &QueuedMail, until: UnixMs) -> Result<bool>;
    /// Deletes a message that a server has taken. `false`: it was gone.
    async fn finish_mail(&self, id: &str) -> Result<bool>;
    /// Records a failed attempt. `false`: the claim has expired.
    async fn fail_mail(&self, failed: &FailedMail) -> Result<bool>;
    /// Returns the oldest [`MOST_LISTED`] messages, oldest first.
    async fn mails(&self) -> Result<Vec<QueuedMail>>;
    /// Returns [`MOST_LISTED`] of the messages that were given up, the first one first.
    async fn mails_given_up(&self) -> Result<Vec<QueuedMail>>;
    async fn mail_counts(&self) -> Result<MailCounts>;
    /// Makes the next attempt due, also of a message that was given up. `false`: no such message exists, or its link
    /// has expired.
    async fn retry_mail(&self, id: &str, now: UnixMs) -> Result<bool>;
    /// Deletes a message that was not sent. `false`: no such message exists.
    async fn drop_mail(&self, id: &str) -> Result<bool>;
    /// Gives up late messages and deletes old ones. Erases codes of expired links, and deletes counts, expired proofs,
    /// and messages that were given up before `old`. Returns the number of messages that were given up.
    async fn sweep_mails(&self, now: UnixMs, old: UnixMs) -> Result<u64>;
    /// Replaces the account's earlier link, and queues the message.
    async fn begin_email_proof(&self, begin: &BeginEmailProof) -> Result<BeginEmailProofOutcome>;
    /// Whether a link would prove the account's present address.
    async fn is_email_proof(&self, user: &UserId, code_hash: &CodeHash, now: UnixMs) -> Result<bool>;
    /// Consumes the link: the address is proved. Every node refreshes the account's identity headers within a second.
    async fn prove_email(&self, prove: &ProveEmail) -> Result<ProveEmailOutcome>;
}
