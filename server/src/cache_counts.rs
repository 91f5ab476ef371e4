//! Hits and misses of a cache, for its metrics.

use prometheus_client::metrics::counter::Counter;

/// Hits and misses of a cache.
#[derive(Debug, Clone, Default)]
pub struct CacheCounts {
    pub hits: Counter,
    pub misses: Counter,
}
