//! Ids of accounts, sessions and bans: texts that cannot be confused with each other, nor with other texts.

use crate::encoding::base64url;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.0 == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.0 == *text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// The id of an account: a ULID, and `sub` in tokens.
    UserId;
    /// The id of a session: 16 bytes, base64url, and `sid` in tokens.
    SessionId;
    /// The id of a ban: a ULID.
    BanId;
}

impl SessionId {
    /// Returns the id of the session with these bytes, which its refresh tokens hold.
    pub fn of_bytes(bytes: &[u8; 16]) -> Self {
        Self(base64url(bytes))
    }
}
