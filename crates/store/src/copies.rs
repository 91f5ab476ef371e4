//! Copies of an SQLite database: what stands in them, and in what state they are.

use crate::sql::newest_migration;
use crate::{Error, Result};
use domain::UnixMs;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, Row};
use std::path::Path;
use std::time::Duration;

const SETTLE: &str = "PRAGMA secure_delete = ON; DROP TABLE IF EXISTS backup_note; DELETE FROM reservations";

/// What a backup says of itself, in a table of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    pub made_at: UnixMs,
    /// The key-encryption key, encrypted by a passphrase.
    pub sealed_key: Option<String>,
}

#[derive(Debug)]
pub struct Report {
    /// What is wrong with the file.
    pub fault: Option<String>,
    /// A later version's tables are in it.
    pub is_newer: bool,
    pub note: Option<Note>,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({})", self.made_at)
    }
}

/// Writes the note into a copy that has none.
pub async fn annotate(file: &Path, note: &Note) -> Result<()> {
    let mut copy = open(file).await?;
    let mut transaction = copy.begin().await?;
    sqlx::raw_sql("CREATE TABLE backup_note (made_at BIGINT NOT NULL, sealed_key TEXT)")
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO backup_note (made_at, sealed_key) VALUES ($1, $2)")
        .bind(note.made_at)
        .bind(note.sealed_key.clone())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(copy.close().await?)
}

/// Makes a copy a database again: without its note, and without the attempts that were under way.
pub async fn settle(file: &Path) -> Result<()> {
    let mut copy = open(file).await?;
    // Deleted pages are overwritten: the key is nobody's business in a database in use.
    sqlx::raw_sql(SETTLE).execute(&mut copy).await?;
    Ok(copy.close().await?)
}

/// Reads all of a copy. `None`: it is no database of ours.
pub async fn inspect(file: &Path) -> Result<Option<Report>> {
    let mut copy = open(file).await?;
    if !has_table(&mut copy, "_sqlx_migrations").await? {
        return Ok(None);
    }
    let answer: String = sqlx::query("PRAGMA integrity_check(1)").fetch_one(&mut copy).await?.try_get(0)?;
    let version: i64 =
        sqlx::query("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut copy).await?.try_get(0)?;
    let note = if has_table(&mut copy, "backup_note").await? {
        let row = sqlx::query("SELECT made_at, sealed_key FROM backup_note").fetch_one(&mut copy).await?;
        Some(Note { made_at: row.try_get("made_at")?, sealed_key: row.try_get("sealed_key")? })
    } else {
        None
    };
    copy.close().await?;
    Ok(Some(Report { fault: (answer != "ok").then_some(answer), is_newer: version > newest_migration(), note }))
}

/// Whether another process has the database open. Leaving WAL takes a lock that nobody else may share;
/// it also puts the journal away.
pub async fn is_in_use(file: &Path) -> bool {
    match open(file).await {
        Ok(connection) => connection.close().await.is_err(),
        Err(Error::Database(sqlx::Error::Database(error))) => {
            matches!(error.code().and_then(|code| code.parse::<u32>().ok()), Some(code) if code & 0xff == 5 || code & 0xff == 6)
        }
        // Whatever it is, nobody can be using it as a database.
        Err(_) => false,
    }
}

async fn open(file: &Path) -> Result<SqliteConnection> {
    let connect = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Delete)
        .busy_timeout(Duration::from_secs(1))
        .disable_statement_logging();
    Ok(connect.connect().await?)
}

async fn has_table(copy: &mut SqliteConnection, name: &str) -> Result<bool> {
    let found = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1")
        .bind(name.to_owned())
        .fetch_optional(copy)
        .await?;
    Ok(found.is_some())
}
