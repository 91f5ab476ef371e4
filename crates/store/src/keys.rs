//! The server's keys. Private halves are encrypted with the key-encryption key before they are stored.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::server_key::{KeySchedule, ServerKey};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Decrypts logins: RSA.
    Envelope,
    /// Signs tokens: P-256 or Ed25519.
    Signing,
    /// Signs ID tokens with `RS256`: RSA.
    IdToken,
    /// Authenticates values that the server issues and later accepts: 32 bytes.
    Mac,
    /// Makes the digests of account names in rows: 32 bytes, a single key that is never replaced.
    Digest,
}

impl KeyKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Signing => "signing",
            Self::IdToken => "id_token",
            Self::Mac => "mac",
            Self::Digest => "digest",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "envelope" => Some(Self::Envelope),
            "signing" => Some(Self::Signing),
            "id_token" => Some(Self::IdToken),
            "mac" => Some(Self::Mac),
            "digest" => Some(Self::Digest),
            _ => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The thumbprint (RFC 7638), or a random id for keys without a public half.
    pub kid: String,
    pub kind: KeyKind,
    /// As in JOSE headers; empty for internal keys.
    pub alg: String,
    /// The private half, encrypted. Empty after its end.
    pub sealed: String,
    /// The public half of a signing key as JWK, from the time when its private half was erased. Otherwise empty.
    pub public_half: String,
    pub created_at: UnixMs,
    pub used_from: UnixMs,
    pub revoked_at: Option<UnixMs>,
}

/// The revocation of a key.
#[derive(Debug, Clone)]
pub struct KeyRevocation {
    pub kind: KeyKind,
    pub kid: String,
    /// The successor, used at once if no other key is available.
    pub successor: StoredKey,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeKeyOutcome {
    /// No such key exists, or it was revoked before.
    Nothing,
    /// It has ended, and another key is in use.
    Done,
    /// It has ended, and the successor is in use.
    Replaced,
}

/// Returns all keys of a kind in the form of the rules.
pub fn line<'a>(kind: KeyKind, keys: impl IntoIterator<Item = &'a StoredKey>) -> KeySchedule {
    let keys = keys.into_iter().filter(|key| key.kind == kind);
    KeySchedule::new(keys.map(|key| ServerKey {
        kid: key.kid.clone(),
        used_from: key.used_from,
        revoked_at: key.revoked_at,
    }))
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredKey({} {})", self.kind.as_str(), self.kid)
    }
}

#[async_trait]
pub trait Keys {
    /// Returns all keys, oldest first.
    async fn keys(&self) -> Result<Vec<StoredKey>>;
    /// Adds a key after `after`, if that is still the last of its kind (`None`: if none exists). Of two nodes that do
    /// this at the same time, one succeeds. `false`: another key exists; read again.
    async fn add_key(&self, key: &StoredKey, after: Option<&str>, audit: Option<&AuditEntry>) -> Result<bool>;
    async fn revoke_key(&self, revocation: &KeyRevocation) -> Result<RevokeKeyOutcome>;
    /// Erases the private half of an ended key, and stores the public one if it has one. `false`: it was erased before.
    async fn erase_key(&self, kid: &str, public_half: &str) -> Result<bool>;
}
