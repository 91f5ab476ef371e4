//! `GET /api/admin/audit`

use serde::{Deserialize, Serialize};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: String,
    /// Unix milliseconds.
    pub at: i64,
    /// `login`, `ban_lifted` ...
    pub event: String,
    /// `ok`, or the reason of a refusal.
    pub outcome: String,
    /// The affected account: its name, if it still has one, and id.
    pub user: Option<String>,
    pub user_id: Option<String>,
    /// The actor, if it is another account.
    pub by: Option<String>,
    pub by_id: Option<String>,
    /// The target if it is not an account: an address, a network.
    pub about: String,
    /// The client's address; `-` for the command line.
    pub address: String,
    pub device: String,
}

/// A page of events, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// `before` of the next page, if there is one.
    pub next: Option<String>,
}
