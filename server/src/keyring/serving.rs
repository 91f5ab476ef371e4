//! Cached keys of one kind.

use domain::UnixMs;
use domain::server_key::{KeySchedule, RotationRules, ServerKeyState};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The active keys, and the line that determines their roles.
pub(super) struct ServingKeys<K> {
    pub line: KeySchedule,
    pub rules: RotationRules,
    pub keys: HashMap<String, Arc<K>>,
    /// Keys in use that could not be read, which was logged.
    pub unreadable: HashSet<String>,
}

impl<K> ServingKeys<K> {
    pub(super) fn current(&self, now: UnixMs) -> Option<Arc<K>> {
        let current = self.keys.get(&self.line.current(now)?.kid);
        // After the clock was set back, the current key may be erased; use the next one then.
        current.or_else(|| self.all_serving(now).next()).cloned()
    }

    /// Returns the key with this id, if its results are still valid.
    pub(super) fn serving(&self, kid: &str, now: UnixMs) -> Option<Arc<K>> {
        self.line.state(kid, self.rules, now).filter(|state| state.serves())?;
        self.keys.get(kid).cloned()
    }

    /// Returns the key with this id, even if it has ended since it was read.
    pub(super) fn unrevoked(&self, kid: &str, now: UnixMs) -> Option<Arc<K>> {
        self.line.state(kid, self.rules, now).filter(|state| *state != ServerKeyState::Revoked)?;
        self.keys.get(kid).cloned()
    }

    pub(super) fn all_serving(&self, now: UnixMs) -> impl DoubleEndedIterator<Item = &Arc<K>> {
        self.line.serving(self.rules, now).filter_map(|key| self.keys.get(&key.kid))
    }

    /// Whether all keys of `line`, as the store contains it, are in memory.
    pub(super) fn is_whole(&self, line: &KeySchedule, now: UnixMs) -> bool {
        self.line == *line && self.line.serving(self.rules, now).all(|key| self.keys.contains_key(&key.kid))
    }

    /// Whether a key that serves could not be read.
    pub(super) fn lacks_keys(&self, now: UnixMs) -> bool {
        self.line.serving(self.rules, now).any(|key| !self.keys.contains_key(&key.kid))
    }

    /// Whether `line` revokes one of the cached keys.
    pub(super) fn loses_by(&self, line: &KeySchedule, now: UnixMs) -> bool {
        self.keys.keys().any(|kid| line.state(kid, self.rules, now) == Some(ServerKeyState::Revoked))
    }
}
