//! Proofs that were seen: each serves once (RFC 9449, section 11.1).

use crate::nonce::REMEMBERED_MS;
use domain::encoding::sha256;
use moka::sync::Cache;
use std::time::Duration;

/// A bounded memory of proofs, for longer than any is good.
#[derive(Debug, Clone)]
pub struct SeenProofs(Cache<[u8; 32], ()>);

impl Default for SeenProofs {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_millis(REMEMBERED_MS.unsigned_abs()))
                .build(),
        )
    }
}

impl SeenProofs {
    /// Whether this `jti` of this key comes for the first time.
    pub fn is_first(&self, jkt: &str, jti: &str) -> bool {
        self.0.entry(hash(jkt, jti)).or_insert(()).is_fresh()
    }
}

/// What to remember a proof by.
pub fn hash(jkt: &str, jti: &str) -> [u8; 32] {
    sha256(format!("{jkt} {jti}").as_bytes())
}
