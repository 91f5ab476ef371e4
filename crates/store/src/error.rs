//! What can break. A row that is not there is `None`, and a refusal is a value: neither is an error.

/// Something broke; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// If the connection broke while PostgreSQL was committing, nobody knows: read again.
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error("migration")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The transaction that this write was a part of, among others, did not get through.
    #[error("commit")]
    Commit(#[source] std::sync::Arc<sqlx::Error>),
    /// A row says what no version of Postern writes.
    #[error("{table}.{column} of row {row} is not readable")]
    Inconsistent { table: &'static str, column: &'static str, row: String },
    /// The key-encryption key was replaced meanwhile: seal again, under the new one.
    #[error("sealed under a key-encryption key that was replaced")]
    OldSealer,
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
}

pub type Result<T> = std::result::Result<T, Error>;
