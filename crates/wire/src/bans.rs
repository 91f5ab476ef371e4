//! `/api/admin/bans` and below.

use crate::allowlist::Allowed;
use serde::{Deserialize, Serialize};

/// A ban, current or past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    pub id: String,
    /// Its short public name: `7F3K-2Q`.
    pub incident: String,
    /// `203.0.113.7`, `2001:db8::/64` or `device:...`.
    pub address: String,
    /// `sign-in` or `everything`.
    pub scope: String,
    /// The cause, as a stable word: `invalid_credentials`, `flood`, `manual` ...
    pub trigger: String,
    pub reason: String,
    pub evidence: String,
    /// Unix milliseconds, like every time here.
    pub since: i64,
    pub until: i64,
    pub in_force: bool,
    /// `engine`, `command line`, or the name of an administrator.
    pub made_by: String,
    pub lifted_at: Option<i64>,
    pub lifted_by: Option<String>,
    pub lift_reason: Option<String>,
}

/// The answer to `GET /api/admin/bans?word=&trigger=&state=&before=`, newest first. `word` is an address
/// or an incident, `state` is `active` or `over`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bans {
    pub bans: Vec<Ban>,
    /// `before` of the next page, if there is one.
    pub next: Option<String>,
}

/// The body of `POST /api/admin/bans`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBan {
    pub address: String,
    /// `sign-in` or `everything`.
    pub scope: String,
    /// `15m`, `2h`, `30d`.
    #[serde(rename = "for")]
    pub length: String,
    pub reason: String,
    /// Even if it bans the requesting address.
    #[serde(default)]
    pub force: bool,
}

/// The body of `DELETE /api/admin/bans/{id}`, which lifts every ban on the ban's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftRequest {
    pub reason: String,
}

/// The answer to `GET /api/admin/bans/explain?address=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The client key of the address.
    pub address: String,
    /// End of the bans on sign-in and on everything; both missing if the address is allowed.
    pub sign_in_closed_until: Option<i64>,
    pub everything_closed_until: Option<i64>,
    /// Entries of the allowlist that exempt it.
    pub allowed: Vec<Allowed>,
    /// Bans in force, the longest first.
    pub bans: Vec<Ban>,
    /// The rules that would ban it, and for how long.
    pub rules: Vec<RuleStatus>,
}

/// An address's progress towards the next ban by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleStatus {
    pub trigger: String,
    pub scope: String,
    /// Current offences, and the threshold.
    pub strikes: u32,
    pub threshold: u32,
    /// Minimum length of the next ban.
    pub next_seconds: u64,
}
