//! The record of an account.

use domain::UnixMs;
use domain::account::Role;
use domain::ids::UserId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// ULID; `sub` in tokens.
    pub id: UserId,
    pub name: String,
    /// argon2id in PHC form.
    pub password_hash: PasswordHash,
    pub role: Role,
    pub created_at: UnixMs,
    pub signed_in_at: Option<UnixMs>,
    pub disabled_at: Option<UnixMs>,
}

/// A PHC string. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}
