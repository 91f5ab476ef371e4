//! The age of what this node knows of other nodes' changes.

use domain::UnixMs;
use domain::revocation::REVOCATION_RETENTION_MS;
use std::sync::atomic::{AtomicI64, Ordering};

/// Age of the complete state beyond which the caches are too old to admit anybody.
const STALE_MS: i64 = 15_000;

/// How far nodes' clocks may be apart when a process reads what ended before its start.
const CLOCKS_MS: i64 = 10 * 60_000;

/// Returns the time since which an ended session's tokens may be valid, by the clock of any node.
pub fn recent(now: UnixMs) -> UnixMs {
    now - REVOCATION_RETENTION_MS - CLOCKS_MS
}

/// The times of the last reads.
#[derive(Debug)]
pub struct SyncFreshness {
    /// Of everything.
    read: AtomicI64,
    /// Of the order of ended sessions and bans.
    followed: AtomicI64,
    /// How old that may be.
    limit: i64,
}

impl SyncFreshness {
    /// With several nodes, what one has ended must not be admitted by another: a node that has not followed the order
    /// for this long refuses. A node alone on its file ends sessions in its own cache; only commands write beside it.
    pub fn new(nodes_share_the_database: bool) -> Self {
        let limit = if nodes_share_the_database { 1_500 } else { STALE_MS };
        Self { read: AtomicI64::new(0), followed: AtomicI64::new(0), limit }
    }

    /// Whether the caches are too old to be trusted.
    pub fn is_stale(&self, now: UnixMs) -> bool {
        // After the clock was set back, the age is unknown, so treat it as stale.
        self.age(now).abs() > STALE_MS || (now - self.followed.load(Ordering::Relaxed)).abs() > self.limit
    }

    /// Returns the milliseconds since the last complete read.
    pub fn age(&self, now: UnixMs) -> i64 {
        now - self.last()
    }

    /// Returns the time of the last complete read, 0 before the first.
    pub fn last(&self) -> UnixMs {
        self.read.load(Ordering::Relaxed)
    }

    /// Records a read of everything that began then.
    pub fn read_at(&self, began: UnixMs) {
        self.read.store(began, Ordering::Relaxed);
    }

    /// Records a read of the order that began then.
    pub fn followed_at(&self, began: UnixMs) {
        self.followed.store(began, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_share_a_database_refuse_soon_and_one_alone_is_patient() {
        for (shared, patience) in [(true, 1_500), (false, 15_000)] {
            let sync = SyncFreshness::new(shared);
            assert!(sync.is_stale(1_000_000), "before the first read");
            sync.read_at(1_000_000);
            assert!(sync.is_stale(1_000_000));
            sync.followed_at(1_000_000);
            assert!(!sync.is_stale(1_000_000 + patience));
            assert!(sync.is_stale(1_000_001 + patience));
            assert!(sync.is_stale(1_000_000 - patience - 1), "a clock that was set back");
            sync.followed_at(1_015_001);
            assert!(sync.is_stale(1_015_001), "keys and the allow-list are too old");
        }
    }
}
