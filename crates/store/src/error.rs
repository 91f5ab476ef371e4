//! Errors of the store. A missing row is `None`, and a refusal is a value; neither is an error.

/// A failure; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// If the connection broke while PostgreSQL was committing, the outcome is unknown: read again.
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error("migration")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The transaction that contained this write did not commit.
    #[error("commit")]
    Commit(#[source] std::sync::Arc<sqlx::Error>),
    /// A row has a value that no version of Postern writes.
    #[error("{table}.{column} of row {row} is invalid")]
    Inconsistent { table: &'static str, column: &'static str, row: String },
    /// The key-encryption key was replaced meanwhile: encrypt again under the new one.
    #[error("encrypted under a key-encryption key that was replaced")]
    OldSealer,
    /// The actor of the write is no administrator any more, or has signed out.
    #[error("the actor is not an administrator")]
    NotAdministrator,
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
}

pub type Result<T> = std::result::Result<T, Error>;
