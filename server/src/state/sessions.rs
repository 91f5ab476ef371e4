//! Sessions, and what is kept in memory about them.

use super::keys::KeyState;
use crate::apps::IdentityHeadersCache;
use crate::recent_tokens::RecentTokens;
use crate::revocations::Revocations;
use crate::sessions::SessionCache;
use crate::sync_freshness::SyncFreshness;
use std::ops::Deref;
use std::sync::Arc;

/// What this node keeps in memory of sessions and people, and how old that is.
pub struct SessionState {
    keys: Arc<KeyState>,
    pub sessions: SessionCache,
    pub identity_headers: IdentityHeadersCache,
    pub recent_tokens: RecentTokens,
    pub revocations: Revocations,
    pub sync: SyncFreshness,
}

impl SessionState {
    pub(super) fn new(keys: Arc<KeyState>) -> Arc<Self> {
        Arc::new(Self {
            sessions: SessionCache::default(),
            identity_headers: IdentityHeadersCache::default(),
            recent_tokens: RecentTokens::default(),
            revocations: Revocations::default(),
            sync: SyncFreshness::new(keys.config.sqlite_file().is_none()),
            keys,
        })
    }

    /// Forgets what this node keeps of people: headers for apps, and answers about tokens of clients. A request has
    /// changed names, roles, profiles or groups; the other nodes follow the order of changes.
    pub fn forget_people(&self) {
        self.identity_headers.clear();
        self.recent_tokens.forget();
    }
}

impl Deref for SessionState {
    type Target = KeyState;

    fn deref(&self) -> &KeyState {
        &self.keys
    }
}
