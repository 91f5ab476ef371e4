use std::error::Error as StdError;

/// The reason why a node or wallet gave no answer. Its texts are never shown to the gate's clients.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Connection refused or broken.
    #[error("{0} cannot be reached")]
    Unreachable(String, #[source] Box<dyn StdError + Send + Sync>),
    /// Timeout.
    #[error("{0} does not answer in time")]
    Timeout(String),
    /// Too many concurrent requests.
    #[error("{0} has too many open requests")]
    Busy(String),
    /// It reports that it is not synchronised.
    #[error("{0} is behind the network")]
    Behind(String),
    /// It contradicts itself: its chain is suddenly much longer or shorter, or a block is beyond its end.
    #[error("{0} contradicts its earlier answers about the chain")]
    Unsteady(String),
    /// It answered with an error; a wallet's codes are negative.
    #[error("{endpoint} answered with error {code}: {message}")]
    Refused { endpoint: String, code: i64, message: String },
    /// The answer has an unexpected form or is too long.
    #[error("{0} sent an invalid answer")]
    Malformed(String),
    /// Wallet and program have different results for a proof.
    #[error("the wallet and the node's data disagree about a proof")]
    Disagreement,
    /// Work was cancelled because the program ends.
    #[error("cancelled: the program is stopping")]
    Ending,
}

impl Error {
    /// Whether a retry may help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(..)
                | Self::Timeout(_)
                | Self::Busy(_)
                | Self::Behind(_)
                | Self::Unsteady(_)
                | Self::Ending
        )
    }
}
