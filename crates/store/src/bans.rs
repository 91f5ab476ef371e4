//! Bans: one row each, kept after expiry as history.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::{BanPolicy, Rung, Scope, Trigger};
use domain::client_key::ClientKey;
use domain::ids::BanId;

/// The author of automatic bans.
pub const ENGINE: &str = "engine";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// ULID.
    pub id: BanId,
    /// Its short public name: `7F3K-2Q`.
    pub incident: String,
    pub client_key: ClientKey,
    pub scope: Scope,
    pub trigger: Trigger,
    /// One sentence for people.
    pub reason: String,
    pub evidence: String,
    pub since: UnixMs,
    pub until: UnixMs,
    /// [`ENGINE`], `command line`, or the id of a user.
    pub made_by: String,
    pub lifted_at: Option<UnixMs>,
    /// As `made_by`.
    pub lifted_by: Option<String>,
    pub lift_reason: Option<String>,
}

impl Ban {
    pub fn in_force(&self, now: UnixMs) -> bool {
        self.lifted_at.is_none() && self.until > now
    }
}

/// An operator's decision to lift an address's bans.
#[derive(Debug, Clone)]
pub struct BanLift {
    /// As [`Ban::made_by`].
    pub by: String,
    pub reason: String,
    /// Written if a ban was lifted.
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// A search for bans, newest first.
#[derive(Debug, Clone, Default)]
pub struct BanSearch {
    /// A client key or an incident, as text; `None`: any.
    pub word: Option<String>,
    pub trigger: Option<Trigger>,
    /// In force at `now`, or not; `None`: both.
    pub in_force: Option<bool>,
    /// Older than the ban with this id: the previous page's last one.
    pub before: Option<BanId>,
    pub limit: u32,
    pub now: UnixMs,
}

/// The bans and counters of a client key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BanRecord {
    /// Bans in force, the longest first.
    pub bans: Vec<Ban>,
    /// The client key's ladders; for wrong credentials one for each account name that was tried.
    pub rungs: Vec<(Trigger, Rung)>,
    /// The time of each offence.
    pub strikes: Vec<(Trigger, UnixMs)>,
}

/// A position in the order of changes to bans. The default is before all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanCursor {
    pub seq: i64,
    /// The ban's id, because changes of one transaction share a number.
    pub id: BanId,
}

impl Default for BanCursor {
    fn default() -> Self {
        Self { seq: 0, id: "".into() }
    }
}

impl BanCursor {
    /// Returns the position after every change up to this number.
    pub fn after(seq: i64) -> Self {
        // No ULID sorts after this.
        Self { seq, id: "~".into() }
    }
}

/// Changes to bans, oldest first, and the position to continue from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanChanges {
    pub bans: Vec<Ban>,
    pub next: BanCursor,
}

/// Parameters of a ban that may be due.
#[derive(Debug, Clone)]
pub struct BanContext {
    pub policy: std::sync::Arc<BanPolicy>,
    /// ULID of the ban.
    pub ban_id: BanId,
    /// ULID of a second ban, if spraying is due as well.
    pub spray_id: BanId,
    pub incident: String,
    pub spray_incident: String,
    pub jitter: u16,
    /// Whether the address is on the allowlist, so that offences do not count.
    pub exempt: bool,
    pub now: UnixMs,
}

#[async_trait]
pub trait Bans {
    /// Counts an offence outside an attempt (forged or replayed `short_key`, flood), and climbs and bans by the policy.
    /// `None`: the policy imposes no ban, or not yet.
    ///
    /// While a ban of the same trigger is in force, this returns that ban (with another id than `ban_context` has) and
    /// counts nothing, because concurrent requests are one offence.
    async fn record_offence(
        &self,
        client_key: ClientKey,
        trigger: Trigger,
        evidence: &str,
        ban_context: &BanContext,
    ) -> Result<Option<Ban>>;
    /// Imposes a manual ban.
    async fn ban(&self, ban: &Ban, audit: &AuditEntry) -> Result<()>;
    async fn ban_by_id(&self, id: &BanId) -> Result<Option<Ban>>;
    /// Returns the bans in force.
    async fn active_bans(&self, now: UnixMs) -> Result<Vec<Ban>>;
    /// Returns the bans in force on the client key, the longest first.
    async fn bans_on(&self, client_key: ClientKey, now: UnixMs) -> Result<Vec<Ban>>;
    /// Returns the number of the last change to a ban. If it is lower than an earlier answer, the database is an older
    /// copy.
    async fn last_ban_change(&self) -> Result<i64>;
    /// Returns bans imposed or lifted after `after`, in force or not, in commit order; each change once.
    async fn bans_changed(&self, after: &BanCursor, limit: u32) -> Result<BanChanges>;
    async fn search_bans(&self, search: &BanSearch) -> Result<Vec<Ban>>;
    async fn ban_record(&self, client_key: ClientKey, now: UnixMs) -> Result<BanRecord>;
    /// Lifts every ban in force on the client key and deletes its ladders and offences. For [`domain::ban::GRACE_MS`]
    /// wrong credentials then count but do not ban. Returns the lifted bans.
    async fn lift(&self, client_key: ClientKey, lifting: &BanLift) -> Result<Vec<Ban>>;
    /// Deletes bans that expired or were lifted before then, and returns their number.
    async fn sweep_bans(&self, before: UnixMs) -> Result<u64>;
}
