//! Bans, limits, and the allowlist.

use super::core::CoreState;
use crate::allowlist::Allowlist;
use crate::audit_row_limit::AuditRowLimit;
use crate::bans::Bans;
use crate::keyed_mutex::KeyedMutex;
use crate::passwords;
use crate::rate_limiter::RateLimiter;
use crate::refusal_feed::RefusalFeed;
use std::ops::Deref;
use std::sync::Arc;

/// Bans and limits, and the addresses to which they do not apply.
pub struct DefenceState {
    core: Arc<CoreState>,
    pub bans: Bans,
    pub allowlist: Allowlist,
    pub refusal_feed: RefusalFeed,
    pub rate_limiter: RateLimiter,
    pub notes: AuditRowLimit,
    pub attempt_locks: KeyedMutex,
}

impl DefenceState {
    pub(super) fn new(core: Arc<CoreState>) -> Arc<Self> {
        Arc::new(Self {
            bans: Bans::default(),
            allowlist: Allowlist::default(),
            refusal_feed: RefusalFeed::default(),
            rate_limiter: RateLimiter::new(core.config.policy.limits),
            notes: AuditRowLimit::default(),
            attempt_locks: KeyedMutex::new(passwords::threads(&core.config.settings)),
            core,
        })
    }
}

impl Deref for DefenceState {
    type Target = CoreState;

    fn deref(&self) -> &CoreState {
        &self.core
    }
}
