//! The age of this node's knowledge of other nodes' changes.

use domain::UnixMs;
use domain::following::{ALONE_LIMIT_MS, Moment, SHARED_LIMIT_MS, clock_ahead, clocks_differ, may_judge};
use domain::revocation::REVOCATION_RETENTION_MS;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use store::changes::LastChanges;

/// Age of the last read of rotations beyond which the caches are too old to admit anybody.
const STALE_MS: i64 = 15_000;

/// Maximum difference of nodes' clocks when a process reads what ended before its start.
const CLOCKS_MS: i64 = 10 * 60_000;

/// Returns the time since which an ended session's tokens may be valid, by the clock of any node.
pub(crate) fn recent(now: UnixMs) -> UnixMs {
    now - REVOCATION_RETENTION_MS - CLOCKS_MS
}

/// The times of the last reads, and the changes that they returned.
#[derive(Debug)]
pub struct SyncFreshness {
    /// The time of the last read of rotations.
    read: AtomicI64,
    /// The time of the last read of the order of changes.
    followed: AtomicI64,
    /// The same by the steady clock. A reader between the two writes finds a moment that is no newer than the last one.
    followed_steady: AtomicI64,
    /// The numbers up to which changes were applied.
    applied: Mutex<LastChanges>,
    /// The lead of this node's clock over the database's, in milliseconds.
    ahead: AtomicI64,
    is_shared: bool,
}

impl SyncFreshness {
    /// Creates the state before the first read. With several nodes, a session that one has ended must not be admitted
    /// by another, so a node that has not followed the order of changes for too long refuses. A single node on its file
    /// ends sessions in its own cache; only commands write to the file too.
    pub fn new(nodes_share_the_database: bool) -> Self {
        Self {
            read: AtomicI64::new(0),
            followed: AtomicI64::new(0),
            followed_steady: AtomicI64::new(0),
            applied: Mutex::default(),
            ahead: AtomicI64::new(0),
            is_shared: nodes_share_the_database,
        }
    }

    /// Whether the caches are too old to be trusted.
    pub fn is_stale(&self, now: Moment) -> bool {
        let limit = if self.is_shared { SHARED_LIMIT_MS } else { ALONE_LIMIT_MS };
        // After the clock was set back, the age is unknown, so treat it as stale.
        self.age(now.unix).abs() > STALE_MS || !may_judge(self.followed(), limit, now)
    }

    /// Whether another node may have imposed bans of which this node knows nothing.
    pub fn may_miss_bans(&self, now: Moment) -> bool {
        self.is_shared && self.is_stale(now)
    }

    /// Returns the milliseconds since the last read of rotations.
    pub fn age(&self, now: UnixMs) -> i64 {
        now - self.last()
    }

    /// Returns the time of the last read of rotations, 0 before the first.
    pub fn last(&self) -> UnixMs {
        UnixMs::from_millis(self.read.load(Ordering::Relaxed))
    }

    /// Records a read of rotations that began then.
    pub fn read_at(&self, began: UnixMs) {
        self.read.store(began.as_millis(), Ordering::Relaxed);
    }

    /// Records that the changes up to these numbers were applied, by a query that began at `began`.
    pub fn followed_at(&self, began: Moment, last: LastChanges) {
        *self.applied.lock() = last;
        self.followed.store(began.unix.as_millis(), Ordering::Relaxed);
        self.followed_steady.store(began.steady, Ordering::Relaxed);
    }

    fn followed(&self) -> Moment {
        let unix = UnixMs::from_millis(self.followed.load(Ordering::Relaxed));
        Moment { unix, steady: self.followed_steady.load(Ordering::Relaxed) }
    }

    /// Returns the numbers up to which changes were applied.
    pub fn applied(&self) -> LastChanges {
        *self.applied.lock()
    }

    /// Compares this node's clock with the database's, which answered a query between these times.
    pub fn compare_clocks(&self, database: Option<UnixMs>, asked_at: UnixMs, answered_at: UnixMs) {
        if let Some(ahead) = database.and_then(|database| clock_ahead(asked_at, database, answered_at)) {
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }

    /// Returns how far this node's clock is ahead of the database's, in milliseconds. 0 for a file.
    pub fn clock_ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Whether proofs and challenges of this node are refused by others.
    pub fn clocks_differ(&self) -> bool {
        clocks_differ(self.clock_ahead())
    }

    /// Converts a time of this node's clock to one of the database's, which all nodes share.
    pub fn on_the_database(&self, at: UnixMs) -> UnixMs {
        at - self.clock_ahead()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn nodes_that_share_a_database_refuse_soon_and_one_alone_is_patient() {
        for (shared, limit) in [(true, 1_500), (false, 15_000)] {
            let at = |unix: UnixMs| Moment { unix, steady: unix.as_millis() - 900_000 };
            let sync = SyncFreshness::new(shared);
            assert!(sync.is_stale(at(time(1_000_000))), "before the first read");
            sync.read_at(time(1_000_000));
            assert!(sync.is_stale(at(time(1_000_000))));
            sync.followed_at(at(time(1_000_000)), LastChanges::default());
            assert!(!sync.is_stale(at(time(1_000_000 + limit))));
            assert!(sync.is_stale(at(time(1_000_001 + limit))));
            assert!(sync.is_stale(at(time(1_000_000 - limit - 1))), "a clock that was set back");
            let hidden = Moment { unix: time(1_000_000), ..at(time(1_000_001 + limit)) };
            assert!(sync.is_stale(hidden), "a clock that was set back by the time that has passed");
            sync.followed_at(at(time(1_015_001)), LastChanges::default());
            assert!(sync.is_stale(at(time(1_015_001))), "rotations are too old");
            assert_eq!(sync.may_miss_bans(at(time(1_015_001))), shared);
        }
    }

    #[test]
    fn clocks_that_differ_by_more_than_proofs_tolerate_are_noticed() {
        let sync = SyncFreshness::new(true);
        sync.compare_clocks(None, time(100_000), time(100_010));
        assert!(!sync.clocks_differ());
        sync.compare_clocks(Some(time(60_000)), time(100_000), time(100_010));
        assert!(sync.clocks_differ());
        assert_eq!((sync.clock_ahead(), sync.on_the_database(time(100_005))), (40_005, time(60_000)));
        sync.compare_clocks(Some(time(100_000)), time(100_000), time(109_000));
        assert!(sync.clocks_differ(), "a slow answer proves nothing");
        sync.compare_clocks(Some(time(100_000)), time(100_000), time(100_010));
        assert!(!sync.clocks_differ());
    }
}
