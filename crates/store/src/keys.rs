//! The server's keys, private halves encrypted by the key-encryption key before they come here.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Opens sealed logins: RSA.
    Envelope,
    /// Signs tokens: P-256.
    Signing,
    /// Authenticates what the server gives out and takes back: 32 bytes.
    Mac,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Signing => "signing",
            Self::Mac => "mac",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "envelope" => Some(Self::Envelope),
            "signing" => Some(Self::Signing),
            "mac" => Some(Self::Mac),
            _ => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Thumbprint (RFC 7638), or a name for keys without a public half.
    pub kid: String,
    pub kind: Kind,
    /// The private half, encrypted, base64url.
    pub sealed: String,
    pub created_at: UnixMs,
    /// Not used any more after this; `None`: in use.
    pub retired_at: Option<UnixMs>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredKey({} {})", self.kind.as_str(), self.kid)
    }
}

#[async_trait]
pub trait Keys {
    async fn keys(&self) -> Result<Vec<StoredKey>>;
    /// Adds a key, if there is none of its kind in use yet: two nodes that start at the same time
    /// on an empty database end up with the same key. `false`: there is one; read again.
    async fn add_key_if_none(&self, key: &StoredKey) -> Result<bool>;
}
