//! The thumbprint of a public key (RFC 7638), by which tokens and sessions are bound to it.

use crate::encoding::{base64url, from_base64url, sha256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The SHA-256 thumbprint of a public key (RFC 7638). Its text form is base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 32]);

impl Thumbprint {
    /// Computes the thumbprint from a key's required members as JSON (RFC 7638, section 3.2).
    pub fn of(input: &str) -> Self {
        Self(sha256(input.as_bytes()))
    }

    /// Parses the text form. Returns `None` unless it is base64url of 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(from_base64url(text)?.try_into().ok()?))
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a SHA-256 thumbprint"))
    }
}
