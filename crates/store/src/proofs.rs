//! Used proofs of possession (RFC 9449) of requests that change something. Each is accepted once.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedProof {
    /// Derived from the key's thumbprint and the proof's `jti`.
    pub id: String,
    /// End of the time in which a node may accept the proof's nonce.
    pub expires_at: UnixMs,
}

#[async_trait]
pub trait Proofs {
    /// Consumes a proof and returns whether it was unused. Of several concurrent attempts on any nodes, one succeeds.
    async fn use_proof(&self, proof: &UsedProof) -> Result<bool>;
    /// Deletes expired proofs.
    async fn sweep_proofs(&self, now: UnixMs) -> Result<u64>;
}
