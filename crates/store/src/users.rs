//! Accounts of people and programs.

use crate::Result;
use crate::attempts::Attempt;
use crate::audit::AuditEntry;
use crate::sessions::NewSession;
pub use crate::user::{PasswordHash, User};
use crate::user_keys::SealedKey;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::{AccountName, Role};
use domain::ids::{SessionId, UserId};

#[derive(Debug, Clone)]
pub struct NewUser {
    pub id: UserId,
    pub name: AccountName,
    pub password_hash: PasswordHash,
    pub role: Role,
    /// The first version of the user key.
    pub key: SealedKey,
    pub now: UnixMs,
    /// The set-up: only if no user exists. One conditional write decides between concurrent attempts.
    pub only_first: bool,
    /// The id of the invitation that it consumes.
    pub invitation: Option<String>,
    pub audit: AuditEntry,
    /// A session created in the same transaction; the reservation `attempt` ends with it.
    pub session: Option<NewSession>,
    pub attempt: Option<Attempt>,
}

/// A password set by an operator.
#[derive(Debug, Clone)]
pub struct SetPassword {
    pub user: UserId,
    /// The digest that the account's failures are counted by.
    pub account: String,
    pub hash: PasswordHash,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// A password changed by its owner.
#[derive(Debug, Clone)]
pub struct NewPassword {
    pub attempt: Attempt,
    pub user: UserId,
    /// The digest that the account's failures are counted by.
    pub account: String,
    /// The old password's hash that was checked: the change requires that it is still the user's.
    pub judged_by: PasswordHash,
    pub hash: PasswordHash,
    /// The session that continues.
    pub keep: SessionId,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

#[derive(Debug, Clone)]
pub struct DeleteUser {
    /// The attempt in which the owner asked for it and proved the password.
    pub attempt: Option<Attempt>,
    pub user: UserId,
    /// The digest that the account's failures are counted by.
    pub account: String,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// The result of a change to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeOutcome {
    Done {
        /// The ids of the sessions that it ended.
        ended: Vec<SessionId>,
    },
    /// The user does not exist, or nothing changed.
    Nothing,
    /// No administrator would be left.
    LastAdministrator,
}

impl ChangeOutcome {
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddUserOutcome {
    Added,
    /// The invitation is used, revoked or expired.
    NotInvited,
    NameTaken,
    /// The name looks like the name of another account.
    NameConfusable,
    /// `only_first`, but a user existed.
    NotFirst,
}

/// The outcome of a new name for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenameOutcome {
    Renamed,
    NoUser,
    NameTaken,
    /// The name looks like the name of another account.
    NameConfusable,
}

/// An account by its id and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAccount {
    pub id: UserId,
    pub name: String,
}

/// Accounts whose names a check reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OddNames {
    /// Those that cannot be found by name, because another account has the same key.
    pub stray: Vec<NamedAccount>,
    /// Those whose name combining marks make look like another one.
    pub marked: Vec<NamedAccount>,
}

#[async_trait]
pub trait Users {
    async fn user_count(&self) -> Result<u64>;
    /// Returns whether an account exists. Unlike a count, it costs the same with a million accounts.
    async fn has_users(&self) -> Result<bool>;
    /// Returns the user with this key, by [`domain::account::name_key`].
    async fn user_by_key(&self, key: &str) -> Result<Option<User>>;
    async fn user_by_id(&self, id: &UserId) -> Result<Option<User>>;
    /// Returns all users by name.
    async fn users(&self) -> Result<Vec<User>>;
    /// Returns at most `limit` users after the one with the id `after`, by name in the order of the database. If no
    /// user has that id, returns the first ones.
    async fn users_after(&self, after: &str, limit: u32) -> Result<Vec<User>>;
    /// Returns at most `limit` users after the one with the id `after`, as [`users_after`](Self::users_after) does, who
    /// have `word` in their name, display name, e-mail address or a group. The word is folded by
    /// [`domain::account::name_key`].
    async fn search_users(&self, word: &str, after: &str, limit: u32) -> Result<Vec<User>>;
    /// Returns the different parameters of all stored password hashes: algorithm, version and parameters as in a PHC
    /// string. It is cheap enough for every sign-in. It expects 16 bytes of salt and 32 bytes of output, which all
    /// hashes of Postern have, and returns those of imported hashes as they were stored.
    async fn password_parameters(&self) -> Result<Vec<String>>;
    /// Adds a user. The attempt ends in any case.
    async fn add_user(&self, user: &NewUser) -> Result<AddUserOutcome>;
    /// Sets the password, ends every session and deletes the account's failures. `false`: no such user.
    async fn set_password(&self, password: &SetPassword) -> Result<bool>;
    /// Changes the owner's password and ends every other session. The attempt ends in any case. Returns the ids of the
    /// ended sessions; `None`: the checked password is no longer current.
    async fn change_password(&self, password: &NewPassword) -> Result<Option<Vec<SessionId>>>;
    /// Replaces a hash by one with newer parameters of the same password, if it is still `old`.
    async fn upgrade_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool>;
    /// Disables or enables an account. Disabling ends every session in the same transaction.
    async fn set_disabled(&self, id: &UserId, disabled: bool, audit: &AuditEntry, now: UnixMs)
    -> Result<ChangeOutcome>;
    async fn set_role(&self, id: &UserId, role: Role, audit: &AuditEntry, now: UnixMs) -> Result<ChangeOutcome>;
    /// Ends every session and erases all personal data; the id stays. The attempt ends in any case.
    async fn delete_user(&self, deletion: &DeleteUser) -> Result<ChangeOutcome>;
    /// Renames an account, if no other account has that name or one that looks like it.
    async fn rename_user(
        &self,
        id: &UserId,
        name: &AccountName,
        audit: &AuditEntry,
        now: UnixMs,
    ) -> Result<RenameOutcome>;
    /// Returns accounts with names that cannot be found, or that deceive. Reads every name beyond ASCII once.
    async fn odd_names(&self) -> Result<OddNames>;
    /// Returns groups of accounts whose names look alike, with at most `limit` accounts in all.
    async fn look_alikes(&self, limit: u32) -> Result<Vec<Vec<NamedAccount>>>;
    /// Deletes rows of accounts that were deleted before then and have no sessions left.
    async fn sweep_users(&self, before: UnixMs) -> Result<u64>;
}
