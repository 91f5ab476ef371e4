//! `/api/admin/allow`: networks that are never banned.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    pub id: String,
    /// `203.0.113.0/24`
    pub network: String,
    pub comment: String,
    /// Unix milliseconds; `None`: no expiry.
    pub expires_at: Option<i64>,
    pub in_force: bool,
    pub made_by: String,
    pub created_at: i64,
}

/// The answer to `GET /api/admin/allow`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowlist {
    pub allowed: Vec<Allowed>,
}

/// The body of `POST /api/admin/allow`. Replaces an entry of the same network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAllowed {
    /// An address or a network.
    pub network: String,
    pub comment: String,
    /// `2h`, `30d`; missing or empty: no expiry.
    #[serde(default, rename = "for")]
    pub length: Option<String>,
}
