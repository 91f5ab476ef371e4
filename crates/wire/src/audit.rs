//! `GET /api/admin/audit`

use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: String,
    /// Unix milliseconds.
    pub at: i64,
    /// `login`, `ban_lifted` ...
    pub event: String,
    /// `ok`, or why not.
    pub outcome: String,
    /// Whom it happened to: name, where the account still has one, and id.
    pub user: Option<String>,
    pub user_id: Option<String>,
    /// Who did it to somebody or something else.
    pub by: Option<String>,
    pub by_id: Option<String>,
    /// What it was done to, where that is nobody: an address, a network.
    pub about: String,
    /// Where it was asked from; `-` for the command line.
    pub address: String,
    pub device: String,
}

/// A page of it, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub entries: Vec<Entry>,
    /// `before` of the next page, if there is one.
    pub next: Option<String>,
}
