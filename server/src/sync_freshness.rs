//! The age of what this node knows of other nodes' changes.

use domain::UnixMs;
use std::sync::atomic::{AtomicI64, Ordering};

/// Age beyond which the caches are too old to admit anybody.
const STALE_MS: i64 = 15_000;

/// The time of the last read.
#[derive(Debug, Default)]
pub struct SyncFreshness(AtomicI64);

impl SyncFreshness {
    /// Whether the caches are too old to be trusted.
    pub fn is_stale(&self, now: UnixMs) -> bool {
        // After the clock was set back, the age is unknown, so treat it as stale.
        self.age(now).abs() > STALE_MS
    }

    /// Returns the milliseconds since the last read.
    pub fn age(&self, now: UnixMs) -> i64 {
        now - self.last()
    }

    /// Returns the time of the last read, 0 before the first.
    pub fn last(&self) -> UnixMs {
        self.0.load(Ordering::Relaxed)
    }

    /// Records a read.
    pub fn read_at(&self, now: UnixMs) {
        self.0.store(now, Ordering::Relaxed);
    }
}
