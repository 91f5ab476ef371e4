//! `/api/admin/allow`: networks that are never closed.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    pub id: String,
    /// `203.0.113.0/24`
    pub network: String,
    pub comment: String,
    /// Unix milliseconds; none: for good.
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

/// The body of `POST /api/admin/allow`. Takes the place of what the list says of the same network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAllowed {
    /// An address or a network.
    pub network: String,
    pub comment: String,
    /// `2h`, `30d`; none or empty: for good.
    #[serde(default, rename = "for")]
    pub length: Option<String>,
}
