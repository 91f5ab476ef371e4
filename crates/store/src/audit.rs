//! The audit trail: what happened to accounts. No secrets.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    UserAdded,
    Login,
    Logout,
    SessionEnded,
    TokenReused,
    /// A token of a bound session came without a proof of the session's key, or with another key's.
    WrongKey,
    PasswordSet,
    ResetMade,
    MadeAdministrator,
    MadeUser,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    UserKeyReplaced,
    UserKeyRevoked,
    UserKeyMade,
    InvitationMade,
    InvitationRevoked,
    BanMade,
    BanLifted,
    AllowAdded,
    AllowRemoved,
    ServerKeyRotated,
    ServerKeyRevoked,
    KeysRewrapped,
    ServiceSet,
    ServiceRemoved,
    /// A session went on to an app.
    AppOpened,
    TollSuspended,
    TollResumed,
    TollRevoked,
    BackupMade,
    BackupRestored,
    UserRenamed,
}

impl Event {
    pub const ALL: &[Self] = &[
        Self::UserAdded,
        Self::Login,
        Self::Logout,
        Self::SessionEnded,
        Self::TokenReused,
        Self::WrongKey,
        Self::PasswordSet,
        Self::ResetMade,
        Self::MadeAdministrator,
        Self::MadeUser,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserDeleted,
        Self::UserKeyReplaced,
        Self::UserKeyRevoked,
        Self::UserKeyMade,
        Self::InvitationMade,
        Self::InvitationRevoked,
        Self::BanMade,
        Self::BanLifted,
        Self::AllowAdded,
        Self::AllowRemoved,
        Self::ServerKeyRotated,
        Self::ServerKeyRevoked,
        Self::KeysRewrapped,
        Self::ServiceSet,
        Self::ServiceRemoved,
        Self::AppOpened,
        Self::TollSuspended,
        Self::TollResumed,
        Self::TollRevoked,
        Self::BackupMade,
        Self::BackupRestored,
        Self::UserRenamed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserAdded => "user_added",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::SessionEnded => "session_ended",
            Self::TokenReused => "token_reused",
            Self::WrongKey => "wrong_key",
            Self::PasswordSet => "password_set",
            Self::ResetMade => "reset_made",
            Self::MadeAdministrator => "made_administrator",
            Self::MadeUser => "made_user",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserDeleted => "user_deleted",
            Self::UserKeyReplaced => "user_key_replaced",
            Self::UserKeyRevoked => "user_key_revoked",
            Self::UserKeyMade => "user_key_made",
            Self::InvitationMade => "invitation_made",
            Self::InvitationRevoked => "invitation_revoked",
            Self::BanMade => "ban_made",
            Self::BanLifted => "ban_lifted",
            Self::AllowAdded => "allow_added",
            Self::AllowRemoved => "allow_removed",
            Self::ServerKeyRotated => "server_key_rotated",
            Self::ServerKeyRevoked => "server_key_revoked",
            Self::KeysRewrapped => "keys_rewrapped",
            Self::ServiceSet => "service_set",
            Self::ServiceRemoved => "service_removed",
            Self::AppOpened => "app_opened",
            Self::TollSuspended => "toll_suspended",
            Self::TollResumed => "toll_resumed",
            Self::TollRevoked => "toll_revoked",
            Self::BackupMade => "backup_made",
            Self::BackupRestored => "backup_restored",
            Self::UserRenamed => "user_renamed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.as_str() == text)
    }
}

/// One row of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// ULID.
    pub id: String,
    pub at: UnixMs,
    pub event: Event,
    /// `ok`, or why it was refused: a stable word.
    pub outcome: String,
    /// Whom it happened to, where known.
    pub user: Option<String>,
    pub session: Option<String>,
    /// The full address of the client; `-` for the command line.
    pub address: String,
    /// "Firefox on Fedora".
    pub device: String,
    /// The id of the user who did it to somebody else; `None`: its owner, the command line or nobody.
    pub actor: Option<String>,
    /// What it was done to, where that is nobody: an address, a network. Else empty.
    pub about: String,
}

/// A row with the names that its ids have now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub entry: Entry,
    /// The name of `user`; `None`: nobody, or an account that is gone.
    pub username: Option<String>,
    /// The name of `actor`.
    pub actor_name: Option<String>,
}

/// Which rows an operator looks for, newest first.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The id of a user: what happened to them, and what they did.
    pub user: Option<String>,
    pub event: Option<Event>,
    pub outcome: Option<String>,
    pub since: Option<UnixMs>,
    /// Before then.
    pub until: Option<UnixMs>,
    /// Older than this row: time and id of the last one of the page before.
    pub before: Option<(UnixMs, String)>,
    pub limit: u32,
}

#[async_trait]
pub trait Audit {
    async fn append(&self, entry: &Entry) -> Result<()>;
    /// Appends the entry unless one of the same event, user, session and address has been there since then: what
    /// can be repeated at will must not fill the trail. Two at once may both be appended.
    async fn append_once(&self, entry: &Entry, since: UnixMs) -> Result<()>;
    /// Everybody's entries, newest first.
    async fn search_audit(&self, search: &Search) -> Result<Vec<Line>>;
    /// The newest entries of a user, newest first.
    async fn audit_of(&self, user: &str, limit: u32) -> Result<Vec<Entry>>;
    /// How many entries of the user since then have an outcome other than `ok`, or are [`Event::TokenReused`].
    async fn odd_entries(&self, user: &str, since: UnixMs) -> Result<u64>;
    /// Counts the sign-ins that worked, in hours that began at or after `since`: each hour's first millisecond and its
    /// count, oldest first. An hour without sign-ins is missing.
    async fn sign_ins(&self, since: UnixMs) -> Result<Vec<(UnixMs, u64)>>;
    /// Deletes entries from before then. Returns how many went.
    async fn sweep_audit(&self, before: UnixMs) -> Result<u64>;
}
