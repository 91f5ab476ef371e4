//! The paid gate's payments and tokens.
//!
//! Amounts are piconero and fit into an `i64` for centuries of Monero's emission.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::thumbprint::Thumbprint;

/// A payment: the part of a transaction that pays one of our subaddresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PaymentId {
    /// Hexadecimal.
    pub txid: String,
    pub account: u32,
    pub subaddress: u32,
}

/// A valid payment, presented for an offer.
#[derive(Debug, Clone)]
pub struct Redemption {
    pub payment: PaymentId,
    /// The name of the offer and of its token.
    pub challenge: String,
    pub route: String,
    /// Thumbprint of the client's key, if it has one.
    pub jkt: Option<Thumbprint>,
    pub piconero: i64,
    /// One-time keys of the outputs that were counted.
    pub outputs: Vec<String>,
    /// The block of the transaction, if it is in one.
    pub block: Option<i64>,
    /// The current number of blocks.
    pub height: i64,
    pub terms: OfferTerms,
    pub now: UnixMs,
}

/// The terms of the offer.
#[derive(Debug, Clone)]
pub struct OfferTerms {
    /// At least 1.
    pub price: i64,
    /// Requests for each multiple of the price.
    pub quota: i64,
    pub ttl_ms: i64,
    /// Required confirmations by the total paid: (from this amount, this many), in ascending order.
    pub confirmations: Vec<(i64, i64)>,
    /// After this only payments that were seen before count.
    pub expires_at: UnixMs,
}

/// The result of redeeming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionOutcome {
    /// The token, new or existing.
    Minted(TollToken),
    /// Seen, but not enough confirmations.
    Pending { have: i64, need: i64 },
    /// All payments for this offer are below its price. They count when the rest is paid.
    Underpaid { have: i64, need: i64 },
    /// The payment was redeemed by another client or for another offer.
    Taken,
    /// An output's one-time key was counted before, so it cannot be spent again.
    Burnt,
    /// The offer expired before this payment was seen. It is in the list of late payments.
    Late,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TollToken {
    pub id: String,
    pub route: String,
    /// Thumbprint of the key to prove; `None`: a bearer token.
    pub jkt: Option<Thumbprint>,
    pub quota: i64,
    pub used: i64,
    /// The amount that bought nothing.
    pub remainder: i64,
    pub minted_at: UnixMs,
    pub expires_at: UnixMs,
    pub provisional: bool,
    pub asleep_at: Option<UnixMs>,
    pub suspended_at: Option<UnixMs>,
    pub revoked_at: Option<UnixMs>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TollPayment {
    pub id: PaymentId,
    pub challenge: String,
    pub route: String,
    pub piconero: i64,
    pub block: Option<i64>,
    pub seen_at: UnixMs,
    pub gone_at: Option<UnixMs>,
    pub settled_at: Option<UnixMs>,
}

/// A transaction that is in no block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub txid: String,
    /// Whether no node showed it at the last check.
    pub gone: bool,
}

/// The current position of a transaction according to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    Pool,
    Block(i64),
    /// Unknown, or replaced by a double spend.
    Gone,
}

/// An administrator's change of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenChange {
    Suspend,
    Resume,
    Revoke,
}

/// Totals of one route on one day (UTC, days since 1970).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TollDay {
    pub day: i64,
    pub route: String,
    pub challenges: i64,
    pub payments: i64,
    pub piconero: i64,
}

#[async_trait]
pub trait Toll {
    /// Counts a payment for an offer once. In the same transaction, creates the token when the offer's payments have
    /// the price and the confirmations. A repetition by the same client returns the same answer.
    async fn redeem(&self, redemption: &Redemption) -> Result<RedemptionOutcome>;
    /// Like [`Self::redeem`] for a counted payment, with the watcher's data; the redemption's amount, outputs and block
    /// are ignored. `None`: it was not counted, or has disappeared.
    async fn redeem_again(&self, redemption: &Redemption) -> Result<Option<RedemptionOutcome>>;
    /// Like [`Self::redeem`], but without a token. [`Self::redeem_counted`] creates that later, and its lifetime begins
    /// then. `None`: the payment is counted, now or before.
    async fn count_payment(&self, redemption: &Redemption) -> Result<Option<RedemptionOutcome>>;
    /// Returns what all counted payments of an offer have bought; the redemption's payment, amount, outputs and block
    /// are ignored.
    async fn redeem_counted(&self, redemption: &Redemption) -> Result<RedemptionOutcome>;
    /// Returns all counted payments for this offer, including those that have disappeared.
    async fn payments_for(&self, challenge: &str) -> Result<Vec<TollPayment>>;
    /// Returns all counted payments of this transaction.
    async fn payments_of(&self, txid: &str) -> Result<Vec<TollPayment>>;
    async fn toll_token(&self, id: &str) -> Result<Option<TollToken>>;
    /// Adds usage up to the quota and returns the token.
    async fn use_token(&self, id: &str, requests: i64) -> Result<Option<TollToken>>;
    /// Returns the transactions that may still disappear, each once.
    async fn unsettled(&self) -> Result<Vec<String>>;
    /// Returns transactions that are in no block, each once, by id, beginning after `after`. They were in the pool at
    /// the last check, or disappeared at `lost_since` or later.
    async fn in_no_block(&self, after: &str, lost_since: UnixMs, limit: u32) -> Result<Vec<Waiting>>;
    /// Records a transaction's state on a chain of `height` blocks. Suspends tokens when it has disappeared and resumes
    /// them when it returns. Ends watching after `settled_after` confirmations. Returns the ids of changed tokens.
    async fn observe(&self, txid: &str, seen: TransactionStatus, chain: ChainView) -> Result<Vec<String>>;
    /// Changes a token. `false`: it does not exist or is unchanged.
    async fn change_toll_token(&self, id: &str, change: TokenChange, audit: &AuditEntry) -> Result<bool>;
    /// Returns the newest tokens, at most `limit`.
    async fn toll_tokens(&self, limit: u32) -> Result<Vec<TollToken>>;
    async fn toll_payments(&self, limit: u32) -> Result<Vec<TollPayment>>;
    async fn count_challenges(&self, day: i64, route: &str, count: i64) -> Result<()>;
    /// Returns the totals from this day on, by day and route.
    async fn toll_days(&self, since: i64) -> Result<Vec<TollDay>>;
}

/// The chain at the time of the request.
#[derive(Debug, Clone, Copy)]
pub struct ChainView {
    pub height: i64,
    /// Confirmations after which a payment is no longer watched.
    pub settled_after: i64,
    pub now: UnixMs,
}

impl TollToken {
    /// Whether it is neither suspended nor revoked, independent of the quota.
    pub fn is_awake(&self) -> bool {
        self.asleep_at.is_none() && self.suspended_at.is_none() && self.revoked_at.is_none()
    }
}
