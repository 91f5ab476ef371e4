//! `/api/admin/services`: those who may be talked to with tickets.

use crate::jwk::EcJwk;
use serde::{Deserialize, Serialize};

/// Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub name: String,
    /// What tickets are sealed to.
    pub key: EcJwk,
    /// Thumbprint of the key.
    pub kid: String,
    /// Whoever lacks this role gets no ticket.
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

/// `POST /api/admin/services`: a new one, or another key for one that is there. The server reads the key as
/// it was sent, so that it can refuse a private one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewService<K = EcJwk> {
    /// Lower-case letters, digits, `-`: 1 to 32.
    pub name: String,
    pub key: K,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}
