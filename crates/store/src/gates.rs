//! Data of gates besides payments: unpaid requests, late payments and the gates' own state.

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

/// A running gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// A random id of the process.
    pub id: String,
    pub started_at: UnixMs,
    /// The time of its last announcement.
    pub heard_at: UnixMs,
    /// The routes as JSON.
    pub routes: String,
    /// The state of its view of the chain, as one word.
    pub chain: String,
}

#[async_trait]
pub trait Gates {
    /// Uses one of a client's free requests on a route, by one conditional write. The inner error is the wait in
    /// milliseconds.
    async fn take_free(
        &self,
        route: &str,
        client: &str,
        allowance: Allowance,
        now: UnixMs,
    ) -> Result<std::result::Result<(), i64>>;
    /// Deletes clients whose free requests are all available again, and gates whose last announcement was before
    /// `silent_since`. Returns the number of deleted rows.
    async fn sweep_gates(&self, now: UnixMs, silent_since: UnixMs) -> Result<u64>;
    /// Returns late payments, newest first, at most `limit`.
    async fn late_payments(&self, limit: u32) -> Result<Vec<LatePayment>>;
    /// Stores the announcement of a gate.
    async fn announce_gate(&self, gate: &Gate) -> Result<()>;
    /// Deletes a gate that stops.
    async fn end_gate(&self, id: &str) -> Result<()>;
    /// Returns the late payments for this offer.
    async fn late_payments_for(&self, challenge: &str) -> Result<Vec<LatePayment>>;
    /// Returns the gates with an announcement since then, the newest first.
    async fn gates(&self, since: UnixMs) -> Result<Vec<Gate>>;
}
