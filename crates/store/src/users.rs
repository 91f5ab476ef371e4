//! People and programs with an account.

use crate::Result;
use crate::audit::Entry;
use crate::sessions::NewSession;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::{AccountName, Role};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// ULID; `sub` in tokens.
    pub id: String,
    pub name: String,
    /// argon2id in PHC form.
    pub password_hash: PasswordHash,
    pub role: Role,
    pub created_at: UnixMs,
    pub disabled_at: Option<UnixMs>,
}

/// A PHC string. `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[derive(Debug, Clone)]
pub struct NewUser {
    pub id: String,
    pub name: AccountName,
    pub password_hash: PasswordHash,
    pub role: Role,
    pub now: UnixMs,
    /// Only if there is no user yet: the set-up. One conditional write, whoever else tries.
    pub only_first: bool,
    pub audit: Entry,
    /// Signed in at once, in the same transaction; `attempt` is the reservation that ends with it.
    pub session: Option<NewSession>,
    pub attempt: Option<crate::attempts::Attempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Added,
    NameTaken,
    /// `only_first`, and somebody was.
    NotFirst,
}

#[async_trait]
pub trait Users {
    async fn user_count(&self) -> Result<u64>;
    /// By [`AccountName::key`].
    async fn user_by_key(&self, key: &str) -> Result<Option<User>>;
    async fn user_by_id(&self, id: &str) -> Result<Option<User>>;
    /// All, by name.
    async fn users(&self) -> Result<Vec<User>>;
    /// The attempt ends, whatever the answer is.
    async fn add_user(&self, user: &NewUser) -> Result<Added>;
    /// Sets the password, ends every session and forgets the account's failures.
    /// `account` is the digest that failures are counted by. `false`: no such user.
    async fn set_password(
        &self,
        id: &str,
        account: &str,
        hash: &PasswordHash,
        audit: &Entry,
        now: UnixMs,
    ) -> Result<bool>;
    /// Replaces a hash by one of the same password with newer parameters, if it is still `old`.
    async fn upgrade_password(&self, id: &str, old: &PasswordHash, new: &PasswordHash) -> Result<bool>;
    /// Disables or enables. Disabling ends every session in the same transaction.
    /// `false`: no such user, or nothing to change.
    async fn set_disabled(&self, id: &str, disabled: bool, audit: &Entry, now: UnixMs) -> Result<bool>;
}
