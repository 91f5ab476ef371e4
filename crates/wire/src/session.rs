//! `GET /api/session` and `/api/sessions`.

use serde::{Deserialize, Serialize};

/// The current session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub id: String,
    /// The user's opaque id (`sub`).
    pub sub: String,
    pub username: String,
    pub roles: Vec<String>,
    /// Whether the session is bound to a key.
    pub bound: bool,
    /// Expiry of the access token, in unix milliseconds.
    pub expires_at: i64,
    /// When the person was last authenticated, in unix seconds. Absent if the token is from an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The methods of that authentication: values of RFC 8176.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The level of that authentication: `urn:postern:acr:1`, `urn:postern:acr:2` or `urn:postern:acr:phr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}

/// One of the person's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The session's id.
    pub id: String,
    /// The device's name, such as "Firefox on Fedora".
    pub name: String,
    /// The network that it was last used from.
    pub address: String,
    pub created_at: i64,
    pub used_at: i64,
    /// Whether this is the requesting session.
    pub current: bool,
    pub bound: bool,
    /// When the person was last authenticated there, in unix seconds.
    pub auth_time: i64,
    /// The methods of that authentication: values of RFC 8176.
    pub amr: Vec<String>,
    /// The level of that authentication.
    pub acr: String,
}

/// The answer to `GET /api/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Devices {
    pub devices: Vec<Device>,
}
