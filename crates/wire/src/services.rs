//! `/api/admin/services`: services that accept tickets.

use crate::jwk::EcJwk;
use serde::{Deserialize, Serialize};

/// A service. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub name: String,
    /// The key for encrypting tickets.
    pub key: EcJwk,
    /// Thumbprint of the key.
    pub kid: String,
    /// The role that a ticket requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub created_at: i64,
    /// When its key was last changed.
    pub changed_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    pub services: Vec<Service>,
}

/// `POST /api/admin/services`: registers a service, or replaces the key of an existing one. The server parses the key
/// from the original text, so that it can refuse a private one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewService<K = EcJwk> {
    /// Lower-case letters, digits, `-`: 1 to 32.
    pub name: String,
    pub key: K,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}
