//! The paid gate: payments, what they bought, and what is left of it.
//!
//! Amounts are piconero and fit in an `i64`: all Monero there is does for centuries.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;

/// A payment: what one transaction pays to one of our subaddresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PaymentId {
    /// Hexadecimal.
    pub txid: String,
    pub account: u32,
    pub subaddress: u32,
}

/// A payment that was found good is shown for an offer.
#[derive(Debug, Clone)]
pub struct Redemption {
    pub payment: PaymentId,
    /// The offer's own name: the token has it too.
    pub challenge: String,
    pub route: String,
    /// Thumbprint of the client's key; empty: none.
    pub jkt: String,
    pub piconero: i64,
    /// One-time keys of the outputs that were counted.
    pub outputs: Vec<String>,
    /// The block that has the transaction, if one has.
    pub block: Option<i64>,
    /// How many blocks there are.
    pub height: i64,
    pub terms: Terms,
    pub now: UnixMs,
}

/// What the offer said.
#[derive(Debug, Clone)]
pub struct Terms {
    /// At least 1.
    pub price: i64,
    /// Requests for each whole price.
    pub quota: i64,
    pub ttl_ms: i64,
    /// Confirmations by what was paid in all: from so much on, so many; in rising order.
    pub confirmations: Vec<(i64, i64)>,
    /// After this no payment counts that was not seen before.
    pub expires_at: UnixMs,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// The token, new or as it was.
    Minted(Token),
    /// Seen, and waits for blocks.
    Pending { have: i64, need: i64 },
    /// All payments for this offer together are less than its price. They count once the rest is paid.
    Underpaid { have: i64, need: i64 },
    /// Somebody else redeemed this payment, or the same person for another offer.
    Taken,
    /// An output has a one-time key that was counted before: it cannot be spent a second time.
    Burnt,
    /// The offer ran out before this payment was seen. It is in the list of late payments.
    Late,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: String,
    pub route: String,
    /// Empty: for whoever holds it.
    pub jkt: String,
    pub quota: i64,
    pub used: i64,
    /// What was paid and bought nothing.
    pub remainder: i64,
    pub minted_at: UnixMs,
    pub expires_at: UnixMs,
    pub provisional: bool,
    pub asleep_at: Option<UnixMs>,
    pub suspended_at: Option<UnixMs>,
    pub revoked_at: Option<UnixMs>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub challenge: String,
    pub route: String,
    pub piconero: i64,
    pub block: Option<i64>,
    pub seen_at: UnixMs,
    pub gone_at: Option<UnixMs>,
    pub settled_at: Option<UnixMs>,
}

/// A transaction that no block has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub txid: String,
    /// No node showed it when somebody looked last.
    pub gone: bool,
}

/// Where a node shows a transaction now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    Pool,
    Block(i64),
    /// Nowhere, or another transaction has spent its money.
    Gone,
}

/// What an administrator does to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenChange {
    Suspend,
    Resume,
    Revoke,
}

/// One route on one day (UTC, counted from 1970).
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
    /// Counts a payment for an offer, once, and mints the token as soon as all its payments are enough and
    /// deep enough; all in one transaction. Shown again by the same client it gives the same answer.
    async fn redeem(&self, redemption: &Redemption) -> Result<Redeemed>;
    /// As [`Self::redeem`] for a payment that was counted before, with what the watcher knows of it; amount,
    /// outputs and block of the redemption do not matter. `None`: it was not counted, or is gone.
    async fn redeem_again(&self, redemption: &Redemption) -> Result<Option<Redeemed>>;
    /// As [`Self::redeem`], and nothing is minted: whoever has the offer comes for it with
    /// [`Self::redeem_counted`], and its time begins then. `None`: it is counted, now or before.
    async fn count_payment(&self, redemption: &Redemption) -> Result<Option<Redeemed>>;
    /// What all payments that were counted for an offer have bought; of the redemption, payment, amount,
    /// outputs and block do not matter.
    async fn redeem_counted(&self, redemption: &Redemption) -> Result<Redeemed>;
    /// Every payment that was counted for this offer, those that are gone too.
    async fn payments_for(&self, challenge: &str) -> Result<Vec<Payment>>;
    /// Every payment of this transaction that was counted.
    async fn payments_of(&self, txid: &str) -> Result<Vec<Payment>>;
    async fn toll_token(&self, id: &str) -> Result<Option<Token>>;
    /// Adds what was used, up to the quota. The token as it is then.
    async fn use_token(&self, id: &str, requests: i64) -> Result<Option<Token>>;
    /// Transactions that may still go, each once.
    async fn unsettled(&self) -> Result<Vec<String>>;
    /// Transactions that no block has, each once, in the order of their ids: the first ones behind `after`. Those that
    /// were in the pool when somebody looked last, and those that are gone since `lost_since` or later.
    async fn in_no_block(&self, after: &str, lost_since: UnixMs, limit: u32) -> Result<Vec<Waiting>>;
    /// What a node says of a transaction, on a chain of `height` blocks: tokens fall asleep when it is gone
    /// and wake when it is back; with `settled_after` confirmations nobody looks any more. The ids of the
    /// tokens that changed.
    async fn observe(&self, txid: &str, seen: Whereabouts, chain: Chain) -> Result<Vec<String>>;
    /// `false`: there is none, or it was so before.
    async fn change_toll_token(&self, id: &str, change: TokenChange, audit: &Entry) -> Result<bool>;
    /// Newest first, at most `limit`.
    async fn toll_tokens(&self, limit: u32) -> Result<Vec<Token>>;
    async fn toll_payments(&self, limit: u32) -> Result<Vec<Payment>>;
    async fn count_challenges(&self, day: i64, route: &str, count: i64) -> Result<()>;
    /// From this day on, by day and route.
    async fn toll_days(&self, since: i64) -> Result<Vec<TollDay>>;
}

/// The chain when a node was asked.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    pub height: i64,
    /// Confirmations after which nobody looks any more.
    pub settled_after: i64,
    pub now: UnixMs,
}

impl Token {
    /// Whether it opens anything now; the quota is another question.
    pub fn is_awake(&self) -> bool {
        self.asleep_at.is_none() && self.suspended_at.is_none() && self.revoked_at.is_none()
    }
}
