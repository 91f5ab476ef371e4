//! Proofs that were seen: each serves once.

use domain::encoding::sha256;
use moka::sync::Cache;
use std::time::Duration;

/// A bounded memory of proofs, as long as a nonce lives. A proof is bound to one session by its key and to one
/// moment by its nonce: this only closes the window in between.
#[derive(Debug, Clone)]
pub struct SeenProofs(Cache<[u8; 32], ()>);

impl Default for SeenProofs {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(100_000).time_to_live(Duration::from_mins(5)).build())
    }
}

impl SeenProofs {
    /// Whether this `jti` of this key comes for the first time.
    pub fn is_first(&self, jkt: &str, jti: &str) -> bool {
        self.0.entry(sha256(format!("{jkt} {jti}").as_bytes())).or_insert(()).is_fresh()
    }
}
