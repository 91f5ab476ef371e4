//! Whom it is paid for.

use super::Bill;
use crate::Left;
use async_trait::async_trait;

/// Who is asked, told, and made to wait.
#[async_trait]
pub trait Person: std::fmt::Debug + Send + Sync {
    /// Whether anybody can be asked.
    fn is_there(&self) -> bool;

    /// Whether to pay this, and the network's fee in piconero on top.
    async fn agrees(&self, bill: &Bill, fee: u64) -> bool;

    fn hears(&self, news: &News);

    /// Lets so many seconds pass.
    async fn waits(&self, seconds: u64);
}

/// What happened on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Sent: from here on it is paid, and nothing will be paid again. Piconero.
    Paid { txid: String, piconero: u64, fee: u64 },
    /// A payment of an earlier run is redeemed.
    Resumed { txid: String },
    /// No node knew the payment of an earlier run: the same one was sent again.
    SentAgain { txid: String },
    /// What is kept of this gate is in a file now, and the keyring may still have it as well.
    Left(Left),
    /// Another run pays at this gate: this one waits for it.
    Waits,
    /// The gate has not heard of the payment yet.
    NotSeen { seconds: u64 },
    /// The gate has seen it, and asks again after `seconds`.
    Seen { have: u64, need: u64, seconds: u64 },
    /// The gate is busy, or cannot ask its node.
    Busy { seconds: u64 },
    /// There is a token now.
    Redeemed { quota: u64, expires: u64, provisional: bool },
}
