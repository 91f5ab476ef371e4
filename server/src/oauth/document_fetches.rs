//! Fetches of documents: those that failed, and how many a person may make this server try.

use domain::UnixMs;
use domain::ids::UserId;
use domain::rate::Rate;
use moka::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How long a failure is remembered, so that reloading a page is no flood for the other server.
const FAILED_MS: i64 = 30_000;
/// Fetches of unknown documents for one person, and for one address: 20 at once, and one more every three minutes.
const FETCHES: Rate = Rate { burst: 20, every_ms: 3 * 60_000 };

#[derive(Debug)]
pub struct DocumentFetches {
    failed: Cache<String, UnixMs>,
    counted: Cache<String, Arc<AtomicI64>>,
}

impl Default for DocumentFetches {
    fn default() -> Self {
        Self {
            failed: Cache::new(1000),
            counted: Cache::builder().max_capacity(10_000).time_to_idle(Duration::from_hours(1)).build(),
        }
    }
}

impl DocumentFetches {
    /// Remembers that a fetch has failed.
    pub fn fail(&self, id: &str, now: UnixMs) {
        self.failed.insert(id.to_owned(), now);
    }

    /// Whether a fetch has failed a moment ago.
    pub fn has_failed(&self, id: &str, now: UnixMs) -> bool {
        self.failed.get(id).is_some_and(|at| now - at < FAILED_MS)
    }

    /// Counts a fetch of an unknown document, and returns whether it may be made for this person at this address.
    pub fn may_fetch(&self, user: &UserId, address: &str, now: UnixMs) -> bool {
        let take = |key: String| {
            let due = self.counted.get_with(key, Arc::default);
            let step = |due| FETCHES.take(UnixMs::from_millis(due), now).ok().map(UnixMs::as_millis);
            due.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).is_ok()
        };
        take(format!("user {user}")) && take(format!("address {address}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_and_an_address_have_fetches_of_their_own() {
        let fetches = DocumentFetches::default();
        let fetched =
            |user: &UserId, address: &str| (0..100).filter(|_| fetches.may_fetch(user, address, UnixMs::EPOCH)).count();
        assert_eq!(fetched(&"ada".into(), "a"), 20);
        assert_eq!(fetched(&"ada".into(), "b"), 0);
        assert_eq!(fetched(&"bob".into(), "a"), 0, "the address is used up");
        assert_eq!(fetched(&"eve".into(), "b"), 20);
        assert!(fetches.may_fetch(&"ada".into(), "c", UnixMs::from_millis(FETCHES.every_ms)), "and later again");
    }
}
