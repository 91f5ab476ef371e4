//! People and programs with an account.

use crate::Result;
use crate::attempts::Attempt;
use crate::audit::Entry;
use crate::sessions::NewSession;
pub use crate::user::{PasswordHash, User};
use crate::user_keys::SealedKey;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::{AccountName, Role};

#[derive(Debug, Clone)]
pub struct NewUser {
    pub id: String,
    pub name: AccountName,
    pub password_hash: PasswordHash,
    pub role: Role,
    /// The first version of the user's own key.
    pub key: SealedKey,
    pub now: UnixMs,
    /// Only if there is no user yet: the set-up. One conditional write, whoever else tries.
    pub only_first: bool,
    /// The id of the invitation that is used up with it.
    pub invitation: Option<String>,
    pub audit: Entry,
    /// Signed in at once, in the same transaction; `attempt` is the reservation that ends with it.
    pub session: Option<NewSession>,
    pub attempt: Option<Attempt>,
}

/// A password that an operator sets.
#[derive(Debug, Clone)]
pub struct SetPassword {
    pub user: String,
    /// The digest that the account's failures are counted by.
    pub account: String,
    pub hash: PasswordHash,
    pub audit: Entry,
    pub now: UnixMs,
}

/// A password that its owner changes.
#[derive(Debug, Clone)]
pub struct NewPassword {
    pub attempt: Attempt,
    pub user: String,
    /// The digest that the account's failures are counted by.
    pub account: String,
    /// The hash of the old password that was judged: the change is made only if it still is the user's.
    pub judged_by: PasswordHash,
    pub hash: PasswordHash,
    /// The session that goes on.
    pub keep: String,
    pub audit: Entry,
    pub now: UnixMs,
}

#[derive(Debug, Clone)]
pub struct DeleteUser {
    /// Where its owner asked and proved the password.
    pub attempt: Option<Attempt>,
    pub user: String,
    /// The digest that the account's failures are counted by.
    pub account: String,
    pub audit: Entry,
    pub now: UnixMs,
}

/// What came of a change to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    Done {
        /// The ids of the sessions that ended with it.
        ended: Vec<String>,
    },
    /// No such user, or it is so already.
    Nothing,
    /// Nobody could administer the site any more.
    LastAdministrator,
}

impl Changed {
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Added,
    /// The invitation is used up, revoked or has run out.
    NotInvited,
    NameTaken,
    /// The name looks like the name of another account.
    NameConfusable,
    /// `only_first`, and somebody was.
    NotFirst,
}

/// The outcome of a new name for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renamed {
    Renamed,
    NoUser,
    NameTaken,
    /// The name looks like the name of another account.
    NameConfusable,
}

#[async_trait]
pub trait Users {
    async fn user_count(&self) -> Result<u64>;
    /// By [`domain::account::name_key`].
    async fn user_by_key(&self, key: &str) -> Result<Option<User>>;
    async fn user_by_id(&self, id: &str) -> Result<Option<User>>;
    /// All, by name.
    async fn users(&self) -> Result<Vec<User>>;
    /// Returns the parameters that stored password hashes have, each once: algorithm, version and parameters, as in a
    /// PHC string. Cheap enough for every sign-in. Of hashes with 16 bytes of salt and 32 of output, as all of ours.
    async fn password_parameters(&self) -> Result<Vec<String>>;
    /// The attempt ends, whatever the answer is.
    async fn add_user(&self, user: &NewUser) -> Result<Added>;
    /// Sets the password, ends every session and forgets the account's failures. `false`: no such user.
    async fn set_password(&self, password: &SetPassword) -> Result<bool>;
    /// The owner's change of password: every other session ends. The attempt ends, whatever the answer
    /// is. The ids of the sessions that ended; `None`: the password is not the judged one any more.
    async fn change_password(&self, password: &NewPassword) -> Result<Option<Vec<String>>>;
    /// Replaces a hash by one of the same password with newer parameters, if it is still `old`.
    async fn upgrade_password(&self, id: &str, old: &PasswordHash, new: &PasswordHash) -> Result<bool>;
    /// Disables or enables. Disabling ends every session in the same transaction.
    async fn set_disabled(&self, id: &str, disabled: bool, audit: &Entry, now: UnixMs) -> Result<Changed>;
    async fn set_role(&self, id: &str, role: Role, audit: &Entry, now: UnixMs) -> Result<Changed>;
    /// Ends every session and erases all that tells who it was; the id stays. The attempt ends, whatever
    /// the answer is.
    async fn delete_user(&self, deletion: &DeleteUser) -> Result<Changed>;
    /// Gives an account another name, if no other account has it or one that looks like it.
    async fn rename_user(&self, id: &str, name: &AccountName, audit: &Entry, now: UnixMs) -> Result<Renamed>;
    /// Returns the ids of accounts that their names do not find: the key of the name is another account's.
    async fn stray_names(&self) -> Result<Vec<String>>;
    /// Deletes the rows of accounts that were deleted before then and have no session left.
    async fn sweep_users(&self, before: UnixMs) -> Result<u64>;
}
