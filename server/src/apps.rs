//! What proxies are told of a session, kept so that a check signs nothing and asks no database.

use crate::operator::metrics::CacheCounts;
use domain::UnixMs;
use domain::account::Role;
use http::HeaderValue;
use moka::sync::Cache;
use std::sync::Arc;

/// A session as one app hears of it.
#[derive(Debug)]
pub struct Told {
    pub role: Role,
    pub user: HeaderValue,
    pub roles: HeaderValue,
    pub session: HeaderValue,
    /// `Bearer` and a token for the app.
    pub authorization: HeaderValue,
    /// When it is told anew: before the token runs out.
    pub until: UnixMs,
}

/// By session and app. Bounded; whether the session is live is asked elsewhere, on every request.
#[derive(Debug, Clone)]
pub struct ToldSessions {
    told: Cache<(String, String), Arc<Told>>,
    counts: CacheCounts,
}

impl Default for ToldSessions {
    fn default() -> Self {
        Self { told: Cache::new(50_000), counts: CacheCounts::default() }
    }
}

impl ToldSessions {
    pub fn get(&self, session: &str, app: &str, now: UnixMs) -> Option<Arc<Told>> {
        let told = self.told.get(&(session.to_owned(), app.to_owned())).filter(|told| now < told.until);
        let count = if told.is_some() { &self.counts.hits } else { &self.counts.misses };
        count.inc();
        told
    }

    pub fn keep(&self, session: &str, app: &str, told: &Arc<Told>) {
        self.told.insert((session.to_owned(), app.to_owned()), Arc::clone(told));
    }

    /// Forgets everything: roles have changed.
    pub fn clear(&self) {
        self.told.invalidate_all();
    }

    /// How often nothing had to be signed.
    pub fn cache(&self) -> &CacheCounts {
        &self.counts
    }
}
