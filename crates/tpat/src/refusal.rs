//! The reasons why a proof of payment is refused.

/// The reason why a proof or its transaction is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProofRefusal {
    #[error("the transaction is too large")]
    TooLarge,
    #[error("the transaction is malformed")]
    Unreadable,
    #[error("the bytes belong to another transaction")]
    OtherTransaction,
    #[error("the transaction has an unsupported version or kind")]
    Version,
    #[error("this is a coinbase transaction")]
    Coinbase,
    #[error("the transaction has no usable key")]
    NoKey,
    #[error("the proof has more or fewer keys than the transaction")]
    KeyCount,
    #[error("the proof's signature is invalid: another message, address or transaction")]
    Signature,
    #[error("the transaction has one output key twice")]
    BurnedOutput,
    #[error("an output's amount does not match its commitment")]
    ForgedAmount,
    #[error("the transaction pays nothing to the address")]
    NothingReceived,
}
