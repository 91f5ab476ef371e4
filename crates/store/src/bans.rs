//! Bans: one row each, kept after they run out as history.

use crate::Result;
use crate::attempts::Sentence;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::{Scope, Trigger};
use domain::identity::Identity;

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
    /// `engine`, or who made it by hand.
    pub made_by: String,
    pub lifted_at: Option<UnixMs>,
    pub lifted_by: Option<String>,
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
    /// Bans that are in force.
    async fn active_bans(&self, now: UnixMs) -> Result<Vec<Ban>>;
    /// Bans made or lifted at or after `since`, in force or not. A change is visible some time after
    /// the `now` that it was written with: ask again for what is a little older than the last answer.
    async fn bans_changed(&self, since: UnixMs) -> Result<Vec<Ban>>;
    /// Lifts every ban in force on the identity and forgets its ladders and strikes.
    /// Returns the bans that were lifted.
    async fn lift(&self, identity: Identity, by: &str, now: UnixMs) -> Result<Vec<Ban>>;
    /// Deletes bans that were over before then, run out or lifted. Returns how many went.
    async fn sweep_bans(&self, before: UnixMs) -> Result<u64>;
}
