//! Tables of bounded size. The entries that are used least are removed first.

use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::Hash;

/// Returns the entry of a key, and makes it if there is none.
pub(crate) fn entry<K: Hash + Eq + Clone, V: Clone>(table: &Cache<K, V>, key: &K, make: impl FnOnce() -> V) -> V {
    let Ok(value) = table.get_or_insert_with(key, || Ok::<_, Infallible>(make()));
    value
}
