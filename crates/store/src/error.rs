//! Errors of the store. A missing row is `None`, and a refusal is a value; neither is an error.

use sqlx::sqlite::SqliteError;
use std::io::ErrorKind;

/// A failure; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// If the connection broke while PostgreSQL was committing, the outcome is unknown: read again.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("a migration failed")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The transaction that contained this write did not commit.
    #[error("the transaction did not commit")]
    Commit(#[source] std::sync::Arc<sqlx::Error>),
    /// A row has a value that no version of Postern writes.
    #[error("{table}.{column} of row {row} is invalid")]
    Inconsistent { table: &'static str, column: &'static str, row: String },
    /// The key-encryption key was replaced meanwhile: encrypt again under the new one.
    #[error("encrypted under a key-encryption key that was replaced")]
    OldSealer,
    /// The actor of the write is no longer an administrator, or has signed out.
    #[error("the actor is not an administrator")]
    NotAdministrator,
    /// A later version has changed the tables, so this version may misread them.
    #[error("a newer version of Postern has changed the database")]
    NewerSchema,
    /// A pooler runs each transaction in another session, and the URL does not say so.
    #[error("database_url names a pooler that uses another session for each transaction: add ?pooler=transaction")]
    Pooler,
    /// The caller waited long enough. It is unknown whether a write took place.
    #[error("the database did not answer in time")]
    NoAnswer,
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
}

pub type Result<T> = std::result::Result<T, Error>;

const POOLER: &str = "Add pooler=transaction to database_url (postgres://user@host/name?pooler=transaction), or set \
                      pool_mode = session for this database in PgBouncer.";
const SILENT: &str = "The database does not answer in time: is it running, and is database_url right?";

/// Returns what an operator can do about a failure of the database, if that is known.
pub fn advice(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        let known = match error.downcast_ref::<Error>() {
            Some(Error::Database(error)) => of_engine(error),
            Some(Error::Commit(error)) => of_engine(error),
            Some(Error::NoAnswer) => Some(SILENT),
            Some(Error::Pooler) => Some(POOLER),
            Some(Error::NewerSchema) => Some("Start the version of Postern that the other nodes have."),
            _ => error.downcast_ref::<sqlx::Error>().and_then(of_engine),
        };
        if known.is_some() {
            return known;
        }
        next = error.source();
    }
    None
}

fn of_engine(error: &sqlx::Error) -> Option<&'static str> {
    const OWNER: &str =
        "This user may not read or write the database and its folder: use the user that runs the server.";
    const FULL: &str = "The disk is full: make room, and try again.";
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Some(OWNER),
            ErrorKind::NotFound => Some("The folder of the database does not exist: correct database_url or data_dir."),
            ErrorKind::StorageFull => Some(FULL),
            ErrorKind::ConnectionRefused => Some("Start PostgreSQL, or correct database_url."),
            _ => None,
        },
        sqlx::Error::PoolTimedOut => Some(SILENT),
        sqlx::Error::Database(error) => match error.try_downcast_ref::<SqliteError>() {
            // The lower eight bits are the primary code.
            Some(_) => match error.code()?.parse::<u32>().ok()? & 0xff {
                5 | 6 => Some("Another program has locked the database for a while: end it, or try again."),
                8 => Some(OWNER),
                14 => Some(
                    "The file does not exist, or this user may not open it: correct database_url or data_dir, or use the \
                     user that runs the server.",
                ),
                11 | 26 => Some("The file is damaged, or is no database: correct database_url, or restore a backup."),
                13 => Some(FULL),
                _ => None,
            },
            None => match error.code()?.as_ref() {
                "28000" | "28P01" => Some("Correct the user and the password in database_url."),
                // A prepared statement is missing, or its name is taken.
                "26000" | "42P05" => Some(POOLER),
                // The disk of the server.
                "53100" => Some(FULL),
                "3D000" => Some("Create the database, or correct its name in database_url."),
                _ => None,
            },
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StoreOptions, open};

    #[tokio::test]
    async fn a_database_that_cannot_be_opened_is_explained() {
        let folder = tempfile::tempdir().expect("a folder");
        let junk = folder.path().join("junk.db");
        std::fs::write(&junk, [7; 4096]).expect("written");
        let nowhere = folder.path().join("nowhere/postern.db");
        for (path, says) in [(junk, "no database"), (nowhere, "does not exist")] {
            let url = format!("sqlite:{}", path.display());
            let Err(error) = open(&url, StoreOptions::default()).await else { panic!("{url} is opened") };
            let advice = advice(&error).expect("something to do");
            assert!(advice.contains(says), "{advice}");
        }
        assert_eq!(advice(&Error::Closed), None);
    }
}
