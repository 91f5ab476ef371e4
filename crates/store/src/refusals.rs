//! Counts of recent refusals.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::Trigger;

pub const HOUR_MS: i64 = 60 * 60_000;

/// Refusals in one hour for one reason. Requests from banned addresses are not counted, because they are answered from
/// memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalCount {
    /// The hour's first millisecond.
    pub hour: UnixMs,
    pub trigger: Trigger,
    pub count: u64,
}

#[async_trait]
pub trait Refusals {
    /// Returns the hours since `since`, oldest first. Hours without refusals are missing.
    async fn refused(&self, since: UnixMs) -> Result<Vec<RefusalCount>>;
}
