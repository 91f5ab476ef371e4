//! The reasons why a move fails.

/// The reason why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("--from must be sqlite:FILE, and --to postgres://...")]
    Engines,
    #[error("--to leads to a pooler: name the PostgreSQL server itself")]
    Pooler,
    #[error("the {side} was changed by a newer version of Postern")]
    Newer { side: &'static str },
    #[error("the source lacks changes of this version ({0}): start this version once on it")]
    Older(String),
    #[error("the target has rows already ({0}), and they are not those of the source: name an empty database")]
    NotEmpty(String),
    #[error("table {0} differs between source and target in its columns")]
    Columns(String),
    #[error("the tables of source and target differ: {0}")]
    Tables(String),
    #[error("table {0} arrived with other rows: nothing was kept")]
    Differs(String),
    #[error(transparent)]
    Store(#[from] crate::Error),
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
