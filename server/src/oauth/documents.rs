//! Documents in memory: those that were read recently, failed fetches, and how many a person may make this server fetch.

use domain::UnixMs;
use domain::rate::Rate;
use moka::sync::Cache;
use oidc::Client;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Maximum number of documents in memory.
const MOST: usize = 256;
/// How long a failure is remembered, so that reloading a page is no flood for the other server.
const FAILED_MS: i64 = 30_000;
/// Fetches of unknown documents for one person, and for one address: 20 at once, and one more every three minutes.
const FETCHES: Rate = Rate { burst: 20, every_ms: 3 * 60_000 };

/// A document that was read.
#[derive(Debug, Clone)]
pub struct CachedDocument {
    pub client: Arc<Client>,
    /// When it was fetched; the fetch is repeated some time later.
    pub fetched_at: UnixMs,
    /// When its row was read; another node may have stored a newer one since.
    pub read_at: UnixMs,
}

#[derive(Debug)]
pub struct Documents {
    read: RwLock<BTreeMap<String, CachedDocument>>,
    failed: Cache<String, UnixMs>,
    fetches: Cache<String, Arc<AtomicI64>>,
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            read: RwLock::default(),
            failed: Cache::new(1000),
            fetches: Cache::builder().max_capacity(10_000).time_to_idle(Duration::from_hours(1)).build(),
        }
    }
}

impl Documents {
    pub fn find(&self, id: &str) -> Option<CachedDocument> {
        self.read.read().get(id).cloned()
    }

    /// Remembers a document. The oldest one makes room.
    pub fn remember(&self, id: &str, document: CachedDocument) {
        let mut documents = self.read.write();
        if documents.len() >= MOST && !documents.contains_key(id) {
            let oldest = documents.iter().min_by_key(|(_, document)| document.fetched_at).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                documents.remove(&oldest);
            }
        }
        documents.insert(id.to_owned(), document);
    }

    pub fn forget(&self, id: &str) {
        self.read.write().remove(id);
    }

    /// Forgets all documents, so that their rows are read again.
    pub fn forget_all(&self) {
        self.read.write().clear();
    }

    /// Remembers that a fetch has failed.
    pub fn fail(&self, id: &str, now: UnixMs) {
        self.failed.insert(id.to_owned(), now);
    }

    /// Whether a fetch has failed a moment ago.
    pub fn has_failed(&self, id: &str, now: UnixMs) -> bool {
        self.failed.get(id).is_some_and(|at| now - at < FAILED_MS)
    }

    /// Counts a fetch of an unknown document, and returns whether it may be made for this person at this address.
    pub fn may_fetch(&self, user: &str, address: &str, now: UnixMs) -> bool {
        let take = |key: String| {
            let due = self.fetches.get_with(key, Arc::default);
            due.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |due| FETCHES.take(due, now).ok()).is_ok()
        };
        take(format!("user {user}")) && take(format!("address {address}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_and_an_address_have_fetches_of_their_own() {
        let documents = Documents::default();
        let fetched = |user: &str, address: &str| (0..100).filter(|_| documents.may_fetch(user, address, 0)).count();
        assert_eq!(fetched("ada", "a"), 20);
        assert_eq!(fetched("ada", "b"), 0);
        assert_eq!(fetched("bob", "a"), 0, "the address is used up");
        assert_eq!(fetched("eve", "b"), 20);
        assert!(documents.may_fetch("ada", "c", FETCHES.every_ms), "and later again");
    }
}
