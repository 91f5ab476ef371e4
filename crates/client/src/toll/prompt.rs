//! The interface to the person who pays.

use super::Offer;
use crate::KeyringItem;
use async_trait::async_trait;

/// An interface that asks and informs a person, and waits.
#[async_trait]
pub trait Prompt: std::fmt::Debug + Send + Sync {
    /// Whether a person can be asked.
    fn is_interactive(&self) -> bool;

    /// Asks whether to pay this, and the network fee in piconero.
    async fn confirm(&self, offer: &Offer, fee: u64) -> bool;

    fn notify(&self, event: &PaymentEvent);

    /// Waits this many seconds.
    async fn wait(&self, seconds: u64);
}

/// An event during a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentEvent {
    /// The payment was sent; nothing will be paid again. Amounts in piconero.
    Paid { txid: String, piconero: u64, fee: u64 },
    /// A payment of an earlier run is being redeemed.
    Resumed { txid: String },
    /// No node knew an earlier run's payment, so the same transaction was sent again.
    SentAgain { txid: String },
    /// The record is in a file now, but the keyring may still have it too.
    Left(KeyringItem),
    /// Another run is paying at this gate; this one waits.
    Waits,
    /// The gate does not know the payment yet.
    NotSeen { seconds: u64 },
    /// The gate has seen it. The client asks again after `seconds`.
    Seen { have: u64, need: u64, seconds: u64 },
    /// The gate is busy or cannot reach its node.
    Busy { seconds: u64 },
    /// A token was issued.
    Redeemed { quota: u64, expires: u64, provisional: bool },
}
