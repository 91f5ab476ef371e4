//! `/api/admin/keys`: the server's own keys, as administrators see and change them.
//!
//! Times are unix milliseconds. No private half ever comes here.

use crate::whole;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerKey {
    pub kid: String,
    pub kind: Kind,
    /// `RSA-OAEP-256`, `ES256`, `EdDSA`, `HS256`.
    pub alg: String,
    pub state: State,
    pub created_at: i64,
    /// From when it is used; before, it is only published.
    pub used_from: i64,
    /// When its last work is over, for one that was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Opens sealed logins.
    Envelope,
    /// Signs tokens and tickets.
    Signing,
    /// Authenticates what the server gives out and takes back: cookies, nonces, `short_key`s, refresh tokens.
    Mac,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Published, and not used before its time.
    Next,
    Current,
    /// Replaced; what it sealed or signed is still good.
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
    pub kind: Kind,
    /// When the new key is to be used; without it, as soon as caches allow.
    #[serde(default, deserialize_with = "whole::optional", skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}
