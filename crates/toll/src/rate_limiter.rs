//! A rate limiter by key, in memory and of bounded size.

use domain::UnixMs;
use domain::rate::{Rate, RateCounter};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;

/// Maximum number of keys; the least recently used are removed first.
const REMEMBERED: usize = 200_000;

pub(crate) struct RateLimiter<K>(Cache<K, Arc<RateCounter>>);

impl<K: Hash + Eq> Default for RateLimiter<K> {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// Counts one event.
    ///
    /// # Errors
    /// Milliseconds to wait, if the limit is exceeded.
    pub(crate) fn take(&self, who: K, rate: Rate, now: UnixMs) -> Result<(), i64> {
        let Ok(counter) = self.0.get_or_insert_with(&who, || Ok::<_, Infallible>(Arc::<RateCounter>::default()));
        counter.take(rate, now)
    }

    /// Removes keys whose counters say no more than new ones.
    pub(crate) fn sweep(&self, now: UnixMs) {
        self.0.retain(|_, counter| !counter.is_full_again(now));
    }
}
