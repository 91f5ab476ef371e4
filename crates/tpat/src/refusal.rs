//! Why a proof of payment is refused.

/// Why a proof, or its transaction, is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    #[error("the transaction is too large")]
    TooLarge,
    #[error("the transaction cannot be read")]
    Unreadable,
    #[error("the bytes are of another transaction")]
    OtherTransaction,
    #[error("the transaction is of a version or kind that is not taken")]
    Version,
    #[error("the transaction comes from mining")]
    Coinbase,
    #[error("the transaction has no usable key")]
    NoKey,
    #[error("the proof has more or fewer keys than the transaction")]
    KeyCount,
    #[error("the proof's signature is wrong: another message, address, or transaction")]
    Signature,
    #[error("the transaction has one output key twice")]
    BurnedOutput,
    #[error("an output does not hold the amount that it says")]
    ForgedAmount,
    #[error("the transaction pays nothing to the address")]
    NothingReceived,
}
