//! Fetches of documents: those that failed, and how many a person may make this server try.

use crate::bounded;
use domain::UnixMs;
use domain::ids::UserId;
use domain::rate::{Rate, RateCounter};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// How long a failure is remembered, so that reloading a page is no flood for the other server.
const FAILED_MS: i64 = 30_000;
/// Fetches of unknown documents for one person, and for one address: 20 at once, and one more every three minutes.
const FETCHES: Rate = Rate { burst: 20, every_ms: 3 * 60_000 };

#[derive(Debug)]
pub struct DocumentFetches {
    failed: Cache<String, UnixMs>,
    counted: Cache<String, Arc<RateCounter>>,
}

impl Default for DocumentFetches {
    fn default() -> Self {
        Self { failed: Cache::new(1000), counted: Cache::new(10_000) }
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
        let take = |key: String| bounded::entry(&self.counted, &key, Arc::default).take(FETCHES, now).is_ok();
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
