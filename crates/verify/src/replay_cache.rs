//! Used proofs, each of which is accepted once (RFC 9449, section 11.1).

use crate::nonce::REMEMBERED_MS;
use domain::encoding::sha256;
use domain::thumbprint::Thumbprint;
use moka::sync::Cache;
use std::time::Duration;

/// A bounded memory of proofs, longer than any is valid.
#[derive(Debug, Clone)]
pub struct ReplayCache(Cache<[u8; 32], ()>);

impl Default for ReplayCache {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_millis(REMEMBERED_MS.unsigned_abs()))
                .build(),
        )
    }
}

impl ReplayCache {
    /// Whether this key's `jti` is used for the first time.
    pub fn is_first(&self, jkt: Thumbprint, jti: &str) -> bool {
        self.0.entry(hash(jkt, jti)).or_insert(()).is_fresh()
    }
}

/// Returns the key for remembering a proof.
pub fn hash(jkt: Thumbprint, jti: &str) -> [u8; 32] {
    sha256(format!("{jkt} {jti}").as_bytes())
}
