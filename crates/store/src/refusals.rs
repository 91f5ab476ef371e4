//! How much was refused lately.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::Trigger;

pub const HOUR_MS: i64 = 60 * 60_000;

/// Refusals of one hour for one reason. Requests of addresses that are closed are not counted: they
/// are answered from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The hour's first millisecond.
    pub hour: UnixMs,
    pub trigger: Trigger,
    pub count: u64,
}

#[async_trait]
pub trait Refusals {
    /// Hours that began at or after `since`, oldest first; an hour without refusals is not there.
    async fn refused(&self, since: UnixMs) -> Result<Vec<Refused>>;
}
