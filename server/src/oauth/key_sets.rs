//! The keys of clients in memory that are published at a `jwks_uri`.

use crate::bounded;
use domain::UnixMs;
use oidc::Client;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use serde_json::Value;
use std::sync::Arc;

/// Maximum number of sets in memory.
const MOST: usize = 1000;
/// How long a set serves before it is fetched again, so that a withdrawn key does not serve any longer.
const FRESH_MS: i64 = 60 * 60_000;
/// How long a set serves while it cannot be fetched.
const KEPT_MS: i64 = 24 * 60 * 60_000;
/// Time between two fetches for one client: anybody can send an assertion that no key has signed.
const PAUSE_MS: i64 = 60_000;

/// The sets by client. Each has one of its own, because not every client may have this server fetch from everywhere.
#[derive(Debug)]
pub struct KeySets(Cache<String, Arc<KeySet>>);

/// The keys of one client.
#[derive(Debug, Default)]
pub struct KeySet {
    /// The last set that was good, and when it was fetched.
    known: Mutex<Option<(Arc<Value>, UnixMs)>>,
    /// When a fetch was last made.
    tried_at: Mutex<Option<UnixMs>>,
    /// Locked during a fetch.
    pub fetching: tokio::sync::Mutex<()>,
}

impl Default for KeySets {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl KeySets {
    /// Returns the set of a client, which is empty at first and after a change of its `jwks_uri`.
    pub fn of(&self, client: &Client) -> Arc<KeySet> {
        let uri = client.settings.jwks_uri.as_deref().unwrap_or_default();
        bounded::entry(&self.0, &format!("{}\n{}\n{uri}", client.source.as_str(), client.id()), Arc::default)
    }
}

impl KeySet {
    /// Returns the keys if they need not be fetched.
    pub fn fresh(&self, now: UnixMs) -> Option<Arc<Value>> {
        self.younger_than(FRESH_MS, now)
    }

    /// Returns the keys that serve while no newer ones can be fetched.
    pub fn last(&self, now: UnixMs) -> Option<Arc<Value>> {
        self.younger_than(KEPT_MS, now)
    }

    fn younger_than(&self, age: i64, now: UnixMs) -> Option<Arc<Value>> {
        self.known.lock().as_ref().filter(|(_, at)| now - *at < age).map(|(keys, _)| Arc::clone(keys))
    }

    /// Whether the last fetch is long enough ago.
    pub fn is_due(&self, now: UnixMs) -> bool {
        self.tried_at.lock().is_none_or(|at| now - at >= PAUSE_MS)
    }

    pub fn remember(&self, keys: Value, now: UnixMs) {
        *self.known.lock() = Some((Arc::new(keys), now));
        *self.tried_at.lock() = Some(now);
    }

    /// Remembers that a fetch has failed. The last good set stays.
    pub fn fail(&self, now: UnixMs) {
        *self.tried_at.lock() = Some(now);
    }
}
