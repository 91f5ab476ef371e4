//! `/api/admin/keys`: the server's keys, for administrators.
//!
//! Times are unix milliseconds. Private halves are never sent.

use crate::whole;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerKey {
    pub kid: String,
    pub kind: ServerKeyKind,
    /// `RSA-OAEP-256`, `ES256`, `EdDSA`, `RS256`, `HS256`.
    pub alg: String,
    pub state: ServerKeyState,
    pub created_at: i64,
    /// The start of its use; before that it is only published.
    pub used_from: i64,
    /// The end of a replaced key's results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerKeyKind {
    /// Decrypts logins.
    Envelope,
    /// Signs tokens and tickets.
    Signing,
    /// Signs ID tokens with `RS256`.
    IdToken,
    /// Authenticates values that the server issues and later accepts: cookies, nonces, `short_key`s, refresh tokens.
    Mac,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerKeyState {
    /// Published, and not used before its time.
    Next,
    Current,
    /// Replaced; what was encrypted to it or signed by it is still accepted.
    Overlap,
    Ended,
    Revoked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerKeys {
    pub keys: Vec<ServerKey>,
}

/// `POST /api/admin/keys/rotate`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    pub kind: ServerKeyKind,
    /// The start of the new key's use; without it, as soon as caches allow.
    #[serde(default, deserialize_with = "whole::optional", skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}
