//! `GET /api/admin/refusals/hours` and `/api/admin/live`.

use serde::{Deserialize, Serialize};

/// Counts of refusals in the last 24 hours, including the current one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalCounts {
    /// The first millisecond of the oldest hour.
    pub since: i64,
    pub triggers: Vec<ByTrigger>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByTrigger {
    pub trigger: String,
    /// One count for each hour, oldest first.
    pub hours: Vec<u64>,
    pub total: u64,
}

/// One live refusal: an event of the stream `/api/admin/live`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Unix milliseconds.
    pub at: i64,
    pub address: String,
    pub trigger: String,
    /// The resulting ban: its scope, end and id.
    pub scope: Option<String>,
    pub until: Option<i64>,
    pub incident: Option<String>,
}
