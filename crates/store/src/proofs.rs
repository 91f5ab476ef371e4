//! Proofs of possession (RFC 9449) that came with a request that changes something: each does so once.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedProof {
    /// Told from the key's thumbprint and the proof's `jti`.
    pub id: String,
    /// After this no node takes the proof's nonce any more.
    pub expires_at: UnixMs,
}

#[async_trait]
pub trait Proofs {
    /// Uses it up; whether that was for the first time. Of any number of tries at once, on any number of nodes,
    /// one is.
    async fn use_proof(&self, proof: &UsedProof) -> Result<bool>;
    /// Deletes those that ran out.
    async fn sweep_proofs(&self, now: UnixMs) -> Result<u64>;
}
