//! The server's keys, private halves encrypted by the key-encryption key before they come here.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::server_key::{Key, Line};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Opens sealed logins: RSA.
    Envelope,
    /// Signs tokens: P-256 or Ed25519.
    Signing,
    /// Authenticates what the server gives out and takes back: 32 bytes.
    Mac,
    /// Makes digests of account names, which stand in rows: 32 bytes, one key that is never replaced.
    Digest,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Signing => "signing",
            Self::Mac => "mac",
            Self::Digest => "digest",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "envelope" => Some(Self::Envelope),
            "signing" => Some(Self::Signing),
            "mac" => Some(Self::Mac),
            "digest" => Some(Self::Digest),
            _ => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Thumbprint (RFC 7638), or a random name for keys without a public half.
    pub kid: String,
    pub kind: Kind,
    /// As in JOSE headers; empty for keys of our own use.
    pub alg: String,
    /// The private half, encrypted. Empty once the key is over.
    pub sealed: String,
    pub created_at: UnixMs,
    pub used_from: UnixMs,
    pub revoked_at: Option<UnixMs>,
}

/// The end of a key, whoever it was that had its turn.
#[derive(Debug, Clone)]
pub struct Revocation {
    pub kind: Kind,
    pub kid: String,
    /// What takes its place, at once, if nothing else can.
    pub successor: StoredKey,
    pub audit: Entry,
    pub now: UnixMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// There is no such key, or it was revoked before.
    Nothing,
    /// It is over, and another key is in use.
    Done,
    /// It is over, and the successor is in use.
    Replaced,
}

/// All keys of a kind, as the rules see them.
pub fn line<'a>(kind: Kind, keys: impl IntoIterator<Item = &'a StoredKey>) -> Line {
    let keys = keys.into_iter().filter(|key| key.kind == kind);
    Line::new(keys.map(|key| Key { kid: key.kid.clone(), used_from: key.used_from, revoked_at: key.revoked_at }))
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredKey({} {})", self.kind.as_str(), self.kid)
    }
}

#[async_trait]
pub trait Keys {
    /// Oldest first.
    async fn keys(&self) -> Result<Vec<StoredKey>>;
    /// Adds a key behind `after`, if that is still the last of its kind (`None`: if there is none): of two
    /// nodes that make one at the same time, one does. `false`: there is another; read again.
    async fn add_key(&self, key: &StoredKey, after: Option<&str>, audit: Option<&Entry>) -> Result<bool>;
    async fn revoke_key(&self, revocation: &Revocation) -> Result<Revoked>;
    /// Erases the private half of a key that is over. `false`: it was erased before.
    async fn erase_key(&self, kid: &str) -> Result<bool>;
}
