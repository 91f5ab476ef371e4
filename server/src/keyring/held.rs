//! Keys of one kind in memory.

use domain::UnixMs;
use domain::server_key::{Line, Rules, State};
use std::collections::HashMap;
use std::sync::Arc;

/// Those that serve, and the line that says which does what.
pub struct Held<K> {
    pub line: Line,
    pub rules: Rules,
    pub keys: HashMap<String, Arc<K>>,
}

impl<K> Held<K> {
    pub fn current(&self, now: UnixMs) -> Option<Arc<K>> {
        let current = self.keys.get(&self.line.current(now)?.kid);
        // A clock that went back may ask for one that is erased: then the one after it.
        current.or_else(|| self.all_serving(now).next()).cloned()
    }

    /// The key of this name, if what it did is good.
    pub fn serving(&self, kid: &str, now: UnixMs) -> Option<Arc<K>> {
        self.line.state(kid, self.rules, now).filter(|state| state.serves())?;
        self.keys.get(kid).cloned()
    }

    pub fn all_serving(&self, now: UnixMs) -> impl DoubleEndedIterator<Item = &Arc<K>> {
        self.line.serving(self.rules, now).filter_map(|key| self.keys.get(&key.kid))
    }

    /// Whether nothing has to be read, as long as `line` is what the store says.
    pub fn is_whole(&self, line: &Line, now: UnixMs) -> bool {
        self.line == *line && self.line.serving(self.rules, now).all(|key| self.keys.contains_key(&key.kid))
    }

    /// Whether one of those that are held was revoked by what `line` says.
    pub fn loses_by(&self, line: &Line, now: UnixMs) -> bool {
        self.keys.keys().any(|kid| line.state(kid, self.rules, now) == Some(State::Revoked))
    }
}
