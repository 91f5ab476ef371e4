//! Account names and roles.

use crate::encoding::{base64url, sha256};
use std::fmt;

/// A name as the person writes it. Two names that differ only in case are the same account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    shown: String,
    key: String,
}

/// Why a name cannot be an account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("a name has 1 to 64 characters")]
    Length,
    #[error("a name has letters, digits and . _ - @ +, and begins and ends with a letter or a digit")]
    Characters,
}

impl AccountName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// # Errors
    /// Says which rule the name breaks.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let shown = text.trim();
        let count = shown.chars().count();
        if count == 0 || count > Self::MAX_CHARS {
            return Err(BadName::Length);
        }
        let edge = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
        if !edge(shown.chars().next()) || !edge(shown.chars().next_back()) || !shown.chars().all(inner) {
            return Err(BadName::Characters);
        }
        Ok(Self { shown: shown.to_owned(), key: fold(shown) })
    }

    /// As it was written at sign-up.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What makes two names the same account: unique in the store.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What failures are counted by, for names that exist and for names that don't: never the text
/// itself, since people type passwords into name fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountDigest(String);

impl AccountDigest {
    /// The digest of whatever was sent as a name. `key` keeps it from being guessed off a database.
    pub fn of(key: &[u8; 32], sent: &str) -> Self {
        let folded = fold(sent.trim());
        let tag = crate::encoding::hmac_sha256(key, &[&sha256(folded.as_bytes())]);
        Self(base64url(tag.get(..18).unwrap_or(&tag)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn fold(text: &str) -> String {
    // There and back again, since one way is not enough: σ, ς and Σ are one letter, as are ß, ẞ and SS.
    text.to_lowercase().to_uppercase().chars().flat_map(char::to_lowercase).collect()
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Administrator,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "administrator" => Some(Self::Administrator),
            _ => None,
        }
    }
}
