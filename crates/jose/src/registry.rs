//! Parsed keys, looked up by the bytes that `jsonwebtoken` passes to its provider.

use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

/// The keys in use, by name. The registry does not keep them alive.
pub(crate) struct Registry<T> {
    keys: LazyLock<RwLock<HashMap<Vec<u8>, Weak<T>>>>,
}

impl<T> Registry<T> {
    pub(crate) const fn new() -> Self {
        Self { keys: LazyLock::new(RwLock::default) }
    }

    /// Adds a key, and removes the names of dropped keys.
    pub(crate) fn add(&self, name: &[u8], key: &Arc<T>) {
        let mut keys = self.keys.write();
        keys.retain(|_, key| key.strong_count() > 0);
        keys.insert(name.to_vec(), Arc::downgrade(key));
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<Arc<T>> {
        self.keys.read().get(name)?.upgrade()
    }
}
