//! `GET /api/session` and `/api/sessions`.

use serde::{Deserialize, Serialize};

/// Who am I.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: String,
    /// The user's opaque id (`sub`).
    pub sub: String,
    pub username: String,
    pub roles: Vec<String>,
    /// Whether the session is bound to a key of this client.
    pub bound: bool,
    /// When the access token runs out, unix milliseconds.
    pub expires_at: i64,
}

/// One of my devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The session's id.
    pub id: String,
    /// "Firefox on Fedora".
    pub name: String,
    /// The address prefix it was last used from.
    pub address: String,
    pub created_at: i64,
    pub used_at: i64,
    /// Whether this is the device that asks.
    pub current: bool,
    pub bound: bool,
}

/// The answer to `GET /api/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Devices {
    pub devices: Vec<Device>,
}
