//! The audit log: events of accounts, without secrets.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::{SessionId, UserId};

/// Maximum number of an account's rows that [`Audit::append_once`] appends in its period.
pub const MOST_REPEATED: i64 = 20;

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditEvent {
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
    /// A session was used to open an app.
    AppOpened,
    TollSuspended,
    TollResumed,
    TollRevoked,
    BackupMade,
    BackupRestored,
    UserRenamed,
    /// `about` is the kind, such as `totp`.
    SecondFactorAdded,
    SecondFactorRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    /// A browser passed the second factor and is not asked for it again for a while.
    DeviceRemembered,
    DeviceForgotten,
    /// The person of a session proved a factor again.
    IdentityConfirmed,
    /// The display name or the e-mail address was changed.
    ProfileChanged,
    /// The groups of the account were changed.
    GroupsChanged,
    GroupAdded,
    GroupRenamed,
    GroupRemoved,
    PasskeyAdded,
    PasskeyRenamed,
    PasskeyRemoved,
    /// A passkey was refused because its counter did not increase, or was used and its backup flag had changed.
    PasskeyChanged,
    /// A client of the OpenID provider was added, changed or removed.
    ClientAdded,
    ClientChanged,
    ClientRemoved,
    /// A person revoked the access of an app.
    ConsentWithdrawn,
}

impl AuditEvent {
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
        Self::SecondFactorAdded,
        Self::SecondFactorRemoved,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::DeviceRemembered,
        Self::DeviceForgotten,
        Self::IdentityConfirmed,
        Self::ProfileChanged,
        Self::GroupsChanged,
        Self::GroupAdded,
        Self::GroupRenamed,
        Self::GroupRemoved,
        Self::PasskeyAdded,
        Self::PasskeyRenamed,
        Self::PasskeyRemoved,
        Self::PasskeyChanged,
        Self::ClientAdded,
        Self::ClientChanged,
        Self::ClientRemoved,
        Self::ConsentWithdrawn,
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
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRenamed => "passkey_renamed",
            Self::PasskeyRemoved => "passkey_removed",
            Self::PasskeyChanged => "passkey_changed",
            Self::UserRenamed => "user_renamed",
            Self::SecondFactorAdded => "second_factor_added",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::DeviceRemembered => "device_remembered",
            Self::DeviceForgotten => "device_forgotten",
            Self::IdentityConfirmed => "identity_confirmed",
            Self::ProfileChanged => "profile_changed",
            Self::GroupsChanged => "groups_changed",
            Self::GroupAdded => "group_added",
            Self::GroupRenamed => "group_renamed",
            Self::GroupRemoved => "group_removed",
            Self::ClientAdded => "client_added",
            Self::ClientChanged => "client_changed",
            Self::ClientRemoved => "client_removed",
            Self::ConsentWithdrawn => "consent_withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.as_str() == text)
    }
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// ULID.
    pub id: String,
    pub at: UnixMs,
    pub event: AuditEvent,
    /// `ok`, or a stable word for the reason of the refusal.
    pub outcome: String,
    /// The affected user, if known.
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    /// The full address of the client; `-` for the command line.
    pub address: String,
    /// The device's name, such as "Firefox on Fedora".
    pub device: String,
    /// The id of a user who acted on another account. `None`: the owner, the command line or nobody.
    pub actor: Option<UserId>,
    /// The session that the actor used. It is checked with the actor and not stored.
    pub actor_session: Option<SessionId>,
    /// The target if it is not a user: an address, a network. Otherwise empty.
    pub about: String,
}

/// The target of a [`AuditEvent::ResetMade`] whose link was mailed to the owner.
pub const BY_MAIL: &str = "by mail";
/// The outcome of an [`AuditEvent::Login`] with the right password and a wrong code.
pub const WRONG_SECOND_FACTOR: &str = "wrong_second_factor";
/// The outcome of an [`AuditEvent::SessionEnded`] after too many wrong proofs of the person.
pub const TOO_MANY_PROOFS: &str = "too_many_wrong_proofs";
/// The field in an [`AuditEvent::ProfileChanged`] that changed the e-mail address.
pub const EMAIL: &str = "e-mail";

impl AuditEntry {
    /// Returns a row about a success, whose other columns are empty.
    pub fn new(id: String, at: UnixMs, event: AuditEvent) -> Self {
        Self {
            id,
            at,
            event,
            outcome: "ok".to_owned(),
            user: None,
            session: None,
            address: String::new(),
            device: String::new(),
            actor: None,
            actor_session: None,
            about: String::new(),
        }
    }

    /// Whether the owner sees it as a notice at the next visit, on every device.
    pub fn is_notice(&self) -> bool {
        match self.event {
            AuditEvent::Login => self.outcome == "new_device" || self.is_wrong_code(),
            AuditEvent::SessionEnded => self.outcome == TOO_MANY_PROOFS,
            AuditEvent::PasswordSet => self.outcome == "ok",
            AuditEvent::SecondFactorAdded
            | AuditEvent::SecondFactorRemoved
            | AuditEvent::RecoveryCodesMade
            | AuditEvent::RecoveryCodeUsed
            | AuditEvent::PasskeyAdded
            | AuditEvent::PasskeyRemoved
            | AuditEvent::PasskeyChanged
            | AuditEvent::UserRenamed
            | AuditEvent::ResetMade => true,
            // The address is a way to the password.
            AuditEvent::ProfileChanged => self.about.split(", ").any(|field| field == EMAIL),
            _ => false,
        }
    }

    /// Whether it is a sign-in whose password was right and whose code was wrong: somebody else may know the password.
    pub fn is_wrong_code(&self) -> bool {
        self.event == AuditEvent::Login && self.outcome == WRONG_SECOND_FACTOR
    }

    /// Whether the owner gets a message about it at the account's address. A link that was mailed says it itself, and a
    /// change of the address goes to the earlier one.
    pub fn is_mailed(&self) -> bool {
        match self.event {
            AuditEvent::ResetMade if self.about == BY_MAIL => false,
            AuditEvent::ProfileChanged => false,
            _ => self.is_notice(),
        }
    }
}

/// A row with the current names of its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    pub entry: AuditEntry,
    /// The name of `user`; `None`: nobody, or a deleted account.
    pub username: Option<String>,
    /// The name of `actor`.
    pub actor_name: Option<String>,
}

/// A search in the audit log, newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditSearch {
    /// The id of a user, as target or as actor.
    pub user: Option<UserId>,
    pub event: Option<AuditEvent>,
    pub outcome: Option<String>,
    pub since: Option<UnixMs>,
    /// Before this time.
    pub until: Option<UnixMs>,
    /// Before this row: time and id of the previous page's last row.
    pub before: Option<(UnixMs, String)>,
    pub limit: u32,
}

#[async_trait]
pub trait Audit {
    async fn append(&self, entry: &AuditEntry) -> Result<()>;
    /// Appends the entry unless it repeats others. None is appended if one with the same event, user, session, address
    /// and target exists since `since`, or [`MOST_REPEATED`] of the event and user. Otherwise a client could fill the
    /// log by repetition. Two concurrent calls may both append.
    async fn append_once(&self, entry: &AuditEntry, since: UnixMs) -> Result<()>;
    /// Returns entries of all users, newest first.
    async fn search_audit(&self, search: &AuditSearch) -> Result<Vec<AuditLine>>;
    async fn audit_entry(&self, id: &str) -> Result<Option<AuditEntry>>;
    /// Returns the newest entries of a user, newest first.
    async fn audit_of(&self, user: &UserId, limit: u32) -> Result<Vec<AuditEntry>>;
    /// Returns the user's newest notices after `since` that were not dismissed on this device, newest first. `device` is
    /// the thumbprint of its key, or the id of a session without one.
    async fn unread_notices(&self, user: &UserId, device: &str, since: UnixMs, limit: u32) -> Result<Vec<AuditEntry>>;
    /// Dismisses the user's notices up to a time, on one device. A thief of one device cannot hide them on the others.
    async fn dismiss_notices(&self, user: &UserId, device: &str, until: UnixMs) -> Result<()>;
    /// Forgets dismissals up to a time, and returns their number.
    async fn sweep_notices(&self, before: UnixMs) -> Result<u64>;
    /// Counts the user's entries since then whose outcome is not `ok`, or that are [`AuditEvent::TokenReused`].
    async fn odd_entries(&self, user: &UserId, since: UnixMs) -> Result<u64>;
    /// Counts the successful sign-ins, and sign-ups that began a session, in hours that began at or after `since`. Returns each hour's first millisecond
    /// and its count, oldest first. An hour without sign-ins is missing.
    async fn sign_ins(&self, since: UnixMs) -> Result<Vec<(UnixMs, u64)>>;
    /// Deletes older entries and returns their number.
    async fn sweep_audit(&self, before: UnixMs) -> Result<u64>;
}
