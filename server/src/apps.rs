//! Cached identity headers for apps, so that a check signs nothing and reads no database.

use crate::cache_counts::CacheCounts;
use crate::config::Apps;
use domain::UnixMs;
use domain::account::Role;
use domain::authentication::Authentication;
use domain::ids::SessionId;
use domain::profile::GroupName;
use http::HeaderValue;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::sessions::SessionChange;

/// The identity headers of a session for one app.
#[derive(Debug)]
pub struct IdentityHeaders {
    pub role: Role,
    /// The account's groups, for the app's rules.
    pub member_of: Vec<GroupName>,
    /// How the session was authenticated, as the token says.
    pub authentication: Authentication,
    /// The version of the profile from which this was made.
    pub profile_version: i64,
    pub user: HeaderValue,
    pub roles: HeaderValue,
    /// Names separated by commas; empty for none.
    pub groups: HeaderValue,
    /// The display name, or the account's name without one.
    pub name: HeaderValue,
    /// The address if it is proved or vouched for; otherwise empty.
    pub email: HeaderValue,
    pub session: HeaderValue,
    /// `Bearer` and a token for the app.
    pub authorization: HeaderValue,
    /// When to refresh it, before the token expires.
    pub until: UnixMs,
}

/// Entries by session and app, of bounded number. Whether the session is live is checked elsewhere, on every request.
#[derive(Debug)]
pub struct IdentityHeadersCache {
    entries: Cache<(SessionId, String), Arc<IdentityHeaders>>,
    /// The number of removals from this cache.
    forgotten: AtomicU64,
    counts: CacheCounts,
}

/// The state of the cache before a row is read from the store.
#[derive(Debug, Clone, Copy)]
pub struct Before(u64);

impl Default for IdentityHeadersCache {
    fn default() -> Self {
        Self { entries: Cache::new(50_000), forgotten: AtomicU64::default(), counts: CacheCounts::default() }
    }
}

impl IdentityHeadersCache {
    pub fn get(&self, session: &SessionId, app: &str, now: UnixMs) -> Option<Arc<IdentityHeaders>> {
        let identity = self.entries.get(&(session.to_owned(), app.to_owned())).filter(|identity| now < identity.until);
        let count = if identity.is_some() { &self.counts.hits } else { &self.counts.misses };
        count.inc();
        identity
    }

    pub fn before_reading(&self) -> Before {
        Before(self.forgotten.load(Ordering::SeqCst))
    }

    /// Stores the value made from a row, unless a change was received after the row was read. That change may concern
    /// the row.
    pub fn keep(&self, session: &SessionId, app: &str, identity: &Arc<IdentityHeaders>, before: Before) {
        let key = (session.to_owned(), app.to_owned());
        self.entries.insert(key.clone(), Arc::clone(identity));
        // In this order, so that a change in between finds the entry.
        if self.forgotten.load(Ordering::SeqCst) != before.0 {
            self.entries.remove(&key);
        }
    }

    /// Clears the cache after a change of roles or profiles.
    pub fn clear(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.entries.clear();
    }

    /// Removes the cached headers of a session whose person was authenticated again.
    pub fn forget(&self, session: &SessionId, apps: &Apps) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        for app in apps.iter() {
            self.entries.remove(&(session.to_owned(), app.origin.clone()));
        }
    }

    /// Removes the cached headers of sessions that were authenticated again, or whose user has a new name, role or profile.
    pub fn apply(&self, changes: &[SessionChange], apps: &Apps) {
        if !changes.is_empty() {
            self.forgotten.fetch_add(1, Ordering::SeqCst);
        }
        for change in changes {
            for app in apps.iter() {
                let key = (change.id.clone(), app.origin.clone());
                let is_old = |identity: Arc<IdentityHeaders>| {
                    identity.role != change.role
                        || identity.user != change.username.as_bytes()
                        || identity.profile_version != change.profile_version
                        || identity.authentication != change.authentication
                };
                if self.entries.get(&key).is_some_and(is_old) {
                    self.entries.remove(&key);
                }
            }
        }
    }

    /// Returns how often an entry was in the cache.
    pub fn cache(&self) -> &CacheCounts {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::authentication::Methods;

    #[test]
    fn a_value_read_before_a_change_is_not_kept() {
        let value = HeaderValue::from_static;
        let identity = Arc::new(IdentityHeaders {
            role: Role::User,
            member_of: Vec::new(),
            authentication: Authentication { methods: Methods::PASSWORD, at: UnixMs::EPOCH },
            profile_version: 0,
            user: value("ada"),
            roles: value("user"),
            groups: value(""),
            name: value("ada"),
            email: value(""),
            session: value("s"),
            authorization: value("Bearer x"),
            until: UnixMs::from_millis(1_000),
        });
        let (sessions, is_kept) = (IdentityHeadersCache::default(), |sessions: &IdentityHeadersCache| {
            sessions.get(&"s".into(), "app", UnixMs::EPOCH).is_some()
        });
        let before = sessions.before_reading();
        sessions.keep(&"s".into(), "app", &identity, before);
        assert!(is_kept(&sessions));
        sessions.clear();
        assert!(!is_kept(&sessions));
        sessions.keep(&"s".into(), "app", &identity, before);
        assert!(!is_kept(&sessions), "the row may be of before the change");
        sessions.keep(&"s".into(), "app", &identity, sessions.before_reading());
        assert!(is_kept(&sessions));
    }
}
