//! `POST /api/password`, `POST /api/reset` and `POST /api/account/delete`: encrypted like a login.

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The encrypted content of a password change by a signed-in person.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    pub old: String,
    pub new: String,
}

/// The encrypted content of a password reset with a one-time link.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    pub code: String,
    pub password: String,
}

/// The encrypted content of an account's deletion by its owner.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    pub password: String,
}

macro_rules! silent_debug {
    ($($type:ident),+) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        })+
    };
}

silent_debug!(PasswordChange, PasswordReset, Deletion);
