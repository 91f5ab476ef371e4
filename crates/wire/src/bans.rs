//! `/api/admin/bans` and below.

use crate::allowlist::Allowed;
use serde::{Deserialize, Serialize};

/// A closed address, now or once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    pub id: String,
    /// Its short public name: `7F3K-2Q`.
    pub incident: String,
    /// `203.0.113.7`, `2001:db8::/64` or `device:...`.
    pub address: String,
    /// `sign-in` or `everything`.
    pub scope: String,
    /// Why, as a stable word: `invalid_credentials`, `flood`, `manual` ...
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
    /// Even if it closes the address that asks.
    #[serde(default)]
    pub force: bool,
}

/// The body of `DELETE /api/admin/bans/{id}`, which opens the address: it lifts every ban on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    pub reason: String,
}

/// The answer to `GET /api/admin/bans/explain?address=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What the address counts as.
    pub address: String,
    /// Until when it is closed for signing in and for everything; neither, if it is allowed.
    pub sign_in_closed_until: Option<i64>,
    pub everything_closed_until: Option<i64>,
    /// Entries of the allowlist that keep it open.
    pub allowed: Vec<Allowed>,
    /// Bans in force, the longest first.
    pub bans: Vec<Ban>,
    /// What would ban it, and for how long.
    pub rules: Vec<Standing>,
}

/// How close an address is to the next ban by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub trigger: String,
    pub scope: String,
    /// Strikes that count now, and how many make a ban.
    pub strikes: u32,
    pub threshold: u32,
    /// How long the next ban would be at least.
    pub next_seconds: u64,
}
