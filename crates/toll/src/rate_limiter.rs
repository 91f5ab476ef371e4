//! A rate limiter by key, in memory and of bounded size.

use domain::UnixMs;
use domain::rate::{Rate, RateCounter};
use moka::sync::Cache;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// Maximum number of keys; the least recently used are removed first.
const REMEMBERED: u64 = 200_000;

pub(crate) struct RateLimiter<K>(Cache<K, Arc<RateCounter>>);

impl<K: Hash + Eq + Send + Sync + 'static> RateLimiter<K> {
    /// Creates a limiter. `idle`: the time that a key is remembered without events, if there is space.
    pub(crate) fn new(idle: Duration) -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_idle(idle).build())
    }

    /// Counts one event.
    ///
    /// # Errors
    /// Milliseconds to wait, if the limit is exceeded.
    pub(crate) fn take(&self, who: K, rate: Rate, now: UnixMs) -> Result<(), i64> {
        self.0.get_with(who, Arc::default).take(rate, now)
    }
}
