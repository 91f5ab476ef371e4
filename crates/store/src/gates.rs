//! Data of gates beside payments: unpaid requests, late payments and the gates' own state.

use crate::Result;
use crate::toll::PaymentId;
use async_trait::async_trait;
use domain::UnixMs;
use domain::allowance::Allowance;

/// A payment that was made after its offer had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatePayment {
    pub id: PaymentId,
    /// The name of its offer.
    pub challenge: String,
    pub route: String,
    pub piconero: i64,
    pub block: Option<i64>,
    pub seen_at: UnixMs,
    /// When the offer ended.
    pub ended_at: UnixMs,
}

/// A gate that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Of this process alone.
    pub id: String,
    pub started_at: UnixMs,
    /// When it said so last.
    pub heard_at: UnixMs,
    /// JSON.
    pub routes: String,
    /// Its knowledge of the chain, in one word.
    pub chain: String,
}

#[async_trait]
pub trait Gates {
    /// Takes one of the requests that a client has for nothing on a route, by one conditional write. The error is how
    /// many milliseconds it has to wait.
    async fn take_free(
        &self,
        route: &str,
        client: &str,
        allowance: Allowance,
        now: UnixMs,
    ) -> Result<std::result::Result<(), i64>>;
    /// Forgets clients that have all their requests for nothing again, and gates that were last heard before
    /// `silent_since`. How many rows went.
    async fn sweep_gates(&self, now: UnixMs, silent_since: UnixMs) -> Result<u64>;
    /// Newest first, at most `limit`.
    async fn late_payments(&self, limit: u32) -> Result<Vec<LatePayment>>;
    /// Stores what a gate says of itself.
    async fn announce_gate(&self, gate: &Gate) -> Result<()>;
    /// Forgets a gate that stops.
    async fn end_gate(&self, id: &str) -> Result<()>;
    /// Late payments for this offer.
    async fn late_payments_for(&self, challenge: &str) -> Result<Vec<LatePayment>>;
    /// Gates that were heard since, the newest word first.
    async fn gates(&self, since: UnixMs) -> Result<Vec<Gate>>;
}
