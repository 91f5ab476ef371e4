//! Bans: one row each, kept after they run out as history.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::{Policy, Rung, Scope, Trigger};
use domain::identity::Identity;

/// Who makes the bans that nobody makes by hand.
pub const ENGINE: &str = "engine";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// ULID.
    pub id: String,
    /// Its short public name: `7F3K-2Q`.
    pub incident: String,
    pub identity: Identity,
    pub scope: Scope,
    pub trigger: Trigger,
    /// One plain sentence.
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

/// An operator's decision to open an address.
#[derive(Debug, Clone)]
pub struct Lifting {
    /// As [`Ban::made_by`].
    pub by: String,
    pub reason: String,
    /// Written if there was a ban to lift.
    pub audit: Entry,
    pub now: UnixMs,
}

/// Which bans an operator looks for, newest first.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// An identity or an incident, as text; `None`: any.
    pub word: Option<String>,
    pub trigger: Option<Trigger>,
    /// In force at `now`, or over; `None`: both.
    pub in_force: Option<bool>,
    /// Older than the ban of this id: the last one of the page before.
    pub before: Option<String>,
    pub limit: u32,
    pub now: UnixMs,
}

/// What is held against an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// In force, the longest first.
    pub bans: Vec<Ban>,
    /// Ladders that it stands on; for wrong credentials one for each account name that was tried.
    pub rungs: Vec<(Trigger, Rung)>,
    /// When each of its strikes was counted.
    pub strikes: Vec<(Trigger, UnixMs)>,
}

/// A place in the order of changes to bans. The default is before all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    pub seq: i64,
    /// Changes of one transaction share a number.
    pub id: String,
}

impl Cursor {
    /// The place after every change up to this number.
    pub fn after(seq: i64) -> Self {
        // No ULID sorts after this.
        Self { seq, id: "~".to_owned() }
    }
}

/// Changes to bans, oldest first, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    pub bans: Vec<Ban>,
    pub next: Cursor,
}

/// What is needed to make a ban, should one be due.
#[derive(Debug, Clone)]
pub struct Sentence {
    pub policy: std::sync::Arc<Policy>,
    /// ULID of the ban.
    pub ban_id: String,
    /// ULID of a second ban, should spray be due as well.
    pub spray_id: String,
    pub incident: String,
    pub spray_incident: String,
    pub jitter: u16,
    /// The address is on the allowlist: nothing is held against it.
    pub exempt: bool,
    pub now: UnixMs,
}

#[async_trait]
pub trait Bans {
    /// A strike outside an attempt (forged or replayed `short_key`, flood): counts it, climbs and bans
    /// by the policy. `None`: the policy does not ban for it, or not yet.
    ///
    /// While a ban of the same trigger is in force, that ban is the answer (its id is not the
    /// sentence's) and nothing is counted: requests that arrive together are one offence.
    async fn strike(
        &self,
        identity: Identity,
        trigger: Trigger,
        evidence: &str,
        sentence: &Sentence,
    ) -> Result<Option<Ban>>;
    /// A ban by hand.
    async fn ban(&self, ban: &Ban, audit: &Entry) -> Result<()>;
    async fn ban_by_id(&self, id: &str) -> Result<Option<Ban>>;
    /// Bans that are in force.
    async fn active_bans(&self, now: UnixMs) -> Result<Vec<Ban>>;
    /// The number of the last change to any ban. Lower than one that was seen: the database is an older copy.
    async fn last_ban_change(&self) -> Result<i64>;
    /// Bans made or lifted after `after`, in force or not, in the order of their commits: each change once.
    async fn bans_changed(&self, after: &Cursor, limit: u32) -> Result<Changes>;
    async fn search_bans(&self, search: &Search) -> Result<Vec<Ban>>;
    async fn held_against(&self, identity: Identity, now: UnixMs) -> Result<Held>;
    /// Lifts every ban in force on the identity and forgets its ladders and strikes. For
    /// [`domain::ban::GRACE_MS`] wrong credentials count but do not ban. Returns the bans that were
    /// lifted.
    async fn lift(&self, identity: Identity, lifting: &Lifting) -> Result<Vec<Ban>>;
    /// Deletes bans that were over before then, run out or lifted. Returns how many went.
    async fn sweep_bans(&self, before: UnixMs) -> Result<u64>;
}
