//! An approximate count of burnt `short_keys`. Counting a million rows at every attempt would cause the load that the
//! maximum prevents.

use domain::UnixMs;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Maximum age of the count. Other processes' keys may be missed for this long.
const STALE_MS: i64 = 5_000;

#[derive(Debug)]
pub(super) struct UsedShortKeys {
    cap: i64,
    count: AtomicI64,
    counted_at: AtomicI64,
}

impl UsedShortKeys {
    pub(super) fn new(cap: i64) -> Self {
        Self { cap, count: AtomicI64::new(0), counted_at: AtomicI64::new(i64::MIN) }
    }

    pub(super) fn one_more(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    /// Forces a new count at the next check.
    pub(super) fn forget(&self) {
        self.counted_at.store(i64::MIN, Relaxed);
    }

    /// Stores a count.
    pub(super) fn set(&self, count: i64) {
        self.count.store(count, Relaxed);
    }

    pub(super) fn is_at_cap(&self) -> bool {
        self.count.load(Relaxed) >= self.cap
    }

    /// Whether the caller must count again.
    pub(super) fn is_due(&self, now: UnixMs) -> bool {
        let counted_at = self.counted_at.load(Relaxed);
        now.since(UnixMs::from_millis(counted_at)) >= STALE_MS
            && self.counted_at.compare_exchange(counted_at, now.as_millis(), Relaxed, Relaxed).is_ok()
    }
}
