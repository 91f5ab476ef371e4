use std::error::Error as StdError;

/// Why a node or wallet gave no answer. No text of theirs is shown to clients of the gate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens there, or the connection broke.
    #[error("{0} cannot be reached")]
    Unreachable(String, #[source] Box<dyn StdError + Send + Sync>),
    /// No answer in time.
    #[error("{0} does not answer in time")]
    Timeout(String),
    /// As many questions are open as may be.
    #[error("{0} is asked too much already")]
    Busy(String),
    /// It says that it is not in step with the network.
    #[error("{0} is behind the network")]
    Behind(String),
    /// It says one thing and then another: its chain is suddenly much longer or shorter, or a block lies
    /// past its end.
    #[error("{0} contradicts what it said of its chain")]
    Unsteady(String),
    /// It answered with an error of its own: a wallet's codes are negative.
    #[error("{endpoint} says {code}: {message}")]
    Refused { endpoint: String, code: i64, message: String },
    /// It is not what it should be: an answer of another form, or over the limit.
    #[error("{0} gives an answer that cannot be read")]
    Malformed(String),
    /// The wallet and this program do not judge a proof alike.
    #[error("the wallet and the node's bytes disagree about a proof")]
    Disagreement,
    /// Work was cut off, since the program ends.
    #[error("the program is ending")]
    Ending,
}

impl Error {
    /// Whether the same question may be answered later.
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
