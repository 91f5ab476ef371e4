//! `/api/keys/user`: a person's own keys, for private traffic with services.
//!
//! Times are unix milliseconds.

use crate::jwk::EcJwk;
use crate::whole;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `typ` of a user key that is sealed to a session's receiving key.
pub const TYP: &str = "user-key+jwe";

/// `POST /api/keys/user`: the requested version; without one, the current version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserKeyRequest {
    #[serde(default, deserialize_with = "whole::optional", skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// One version of a user's key, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserKey {
    pub version: u32,
    pub state: UserKeyState,
    pub created_at: i64,
    /// The end of a replaced version's validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserKeyState {
    /// In use.
    Current,
    /// Replaced, and still valid for open connections.
    Overlap,
    /// No longer valid.
    Ended,
    Revoked,
}

/// `GET /api/keys/user`: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserKeys {
    pub keys: Vec<UserKey>,
    /// Period that a replaced version remains valid, in milliseconds.
    pub overlap_ms: i64,
}

/// The answer to `POST /api/keys/user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedUserKey {
    #[serde(flatten)]
    pub about: UserKey,
    /// Compact JWE (`ECDH-ES+A256KW`, `A256GCM`) to the session's receiving key, which contains a [`UserKeyJwk`].
    pub key: String,
}

/// The protected header's own members, in addition to those of RFC 7518, section 4.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserKeyHeader {
    pub alg: String,
    pub enc: String,
    pub typ: String,
    /// Thumbprint of the receiving key.
    pub kid: String,
    pub epk: EcJwk,
    /// The user, and the requesting session.
    pub sub: String,
    pub sid: String,
}

/// A symmetric JWK (RFC 7518, section 6.4). `kid` is `<user>.<version>`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct UserKeyJwk {
    pub kty: String,
    pub kid: String,
    /// 32 bytes, base64url.
    pub k: String,
}

impl std::fmt::Debug for UserKeyJwk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({})", self.kid)
    }
}
