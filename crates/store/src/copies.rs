//! Copies of an SQLite database: their content and condition.

use crate::sql::newest_migration;
use crate::users::PasswordHash;
use crate::{Error, Result, StoreOptions, open_sqlite};
use domain::UnixMs;
use domain::account::Role;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row};
use std::path::Path;
use std::time::Duration;

const SETTLE: &str = "PRAGMA secure_delete = ON; DROP TABLE IF EXISTS backup_note; DELETE FROM reservations;
    DELETE FROM mails; DELETE FROM email_proofs; DELETE FROM oauth_initial_tokens; DELETE FROM remembered_devices;
    DELETE FROM pending_sign_ins; DELETE FROM oauth_requests; DELETE FROM oauth_devices;
    DELETE FROM oauth_codes WHERE grant_id IS NULL";
const LIVE: &str = "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL AND idle_at > $1 AND ends_at > $1";
const END_SESSIONS: &str = "UPDATE sessions SET revoked_at = $1, changed_at = $1 WHERE revoked_at IS NULL";
const NOTIFY_CLIENTS: &str = "UPDATE oauth_logouts SET next_at = $1 WHERE tries = 0";
const END_RESETS: &str = "DELETE FROM resets WHERE expires_at > $1";
const END_INVITATIONS: &str =
    "UPDATE invitations SET revoked_at = $1 WHERE used_at IS NULL AND revoked_at IS NULL AND expires_at > $1";
const END_APP_CODES: &str = "DELETE FROM app_codes WHERE expires_at > $1";
const RETIRE_SEALER: &str =
    "INSERT INTO retired_sealers (kid, retired_at) VALUES ($1, $2) ON CONFLICT (kid) DO NOTHING";
const SEALERS: &str = "SELECT DISTINCT substr(sealed, 1, 8) FROM (SELECT sealed FROM keys UNION ALL
    SELECT sealed FROM user_keys UNION ALL SELECT sealed FROM totp) WHERE substr(sealed, 9, 1) = '.'";
const ACCOUNTS: &str =
    "SELECT id, name, role, disabled_at, password_hash FROM users WHERE deleted_at IS NULL ORDER BY name";

/// The note in a backup, in a separate table.
#[derive(Clone, PartialEq, Eq)]
pub struct BackupNote {
    pub made_at: UnixMs,
    /// The key-encryption key, encrypted by a passphrase.
    pub sealed_key: Option<String>,
}

/// The rows that were ended in a copy when it was restored as a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Sessions that were still valid. They were ended, unless they were to be kept.
    pub sessions: i64,
    /// Invitations and reset links that were still valid.
    pub links: u64,
}

/// An account in a copy, or in the database that the copy replaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub is_administrator: bool,
    pub is_disabled: bool,
    pub password_hash: PasswordHash,
}

#[derive(Debug)]
pub struct IntegrityReport {
    /// Damage in the file.
    pub fault: Option<String>,
    /// Whether it has tables of a later version.
    pub is_newer: bool,
    pub note: Option<BackupNote>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.id)
    }
}

impl std::fmt::Debug for BackupNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({})", self.made_at)
    }
}

/// Writes the note into a copy without one.
pub async fn annotate(file: &Path, note: &BackupNote) -> Result<()> {
    let mut copy = open(file).await?;
    let mut transaction = copy.begin().await?;
    sqlx::raw_sql("CREATE TABLE backup_note (made_at BIGINT NOT NULL, sealed_key TEXT)")
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO backup_note (made_at, sealed_key) VALUES ($1, $2)")
        .bind(note.made_at.as_millis())
        .bind(note.sealed_key.clone())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(copy.close().await?)
}

/// Converts a copy back into a database: updates its tables, removes its note and ends pending attempts. Voids one-time
/// values that may have been used since: invitations, reset links, links of addresses, codes for apps, codes and requests
/// of clients, and initial access tokens. ([`crate::replaced`] does the same for the second factor.) Forgets remembered
/// devices, which may have been forgotten since. Empties the queue of mail, because its messages were sent since. Ends its
/// sessions, unless `keep` is set: sessions that were ended since would be valid again.
///
/// # Errors
/// The copy cannot be brought up to date or written.
pub async fn settle(file: &Path, keep_sessions: bool, now: UnixMs) -> Result<Settled> {
    // An earlier version's copy may lack a table.
    let connect = SqliteConnectOptions::new().filename(file);
    open_sqlite(connect, SqlitePoolOptions::new(), StoreOptions::default()).await?.close().await;
    let mut copy = open(file).await?;
    // Overwrites deleted pages, because a live database must not contain the sealed key.
    sqlx::raw_sql(SETTLE).execute(&mut copy).await?;
    let mut transaction = copy.begin().await?;
    let sessions = sqlx::query(LIVE).bind(now.as_millis()).fetch_one(&mut *transaction).await?.try_get(0)?;
    if !keep_sessions {
        sqlx::query(END_SESSIONS).bind(now.as_millis()).execute(&mut *transaction).await?;
        sqlx::query(NOTIFY_CLIENTS).bind(now.as_millis()).execute(&mut *transaction).await?;
    }
    let resets = sqlx::query(END_RESETS).bind(now.as_millis()).execute(&mut *transaction).await?.rows_affected();
    let invitations =
        sqlx::query(END_INVITATIONS).bind(now.as_millis()).execute(&mut *transaction).await?.rows_affected();
    sqlx::query(END_APP_CODES).bind(now.as_millis()).execute(&mut *transaction).await?;
    transaction.commit().await?;
    copy.close().await?;
    Ok(Settled { sessions, links: resets + invitations })
}

/// Marks key-encryption keys of a copy as retired: they only decrypt.
///
/// # Errors
/// The copy cannot be written.
pub async fn retire_sealers(file: &Path, names: &[String], now: UnixMs) -> Result<()> {
    let mut copy = open(file).await?;
    for name in names {
        sqlx::query(RETIRE_SEALER).bind(name.as_str()).bind(now.as_millis()).execute(&mut copy).await?;
    }
    Ok(copy.close().await?)
}

/// Returns the names of the key-encryption keys of a copy's values. Values from before keys had names are left out.
///
/// # Errors
/// The copy cannot be read.
pub async fn sealers(file: &Path) -> Result<Vec<String>> {
    let mut copy = open(file).await?;
    let names = sqlx::query_scalar(SEALERS).fetch_all(&mut copy).await?;
    copy.close().await?;
    Ok(names)
}

/// Returns all accounts of a database that is not open elsewhere, by name.
///
/// # Errors
/// The database cannot be read, or has no such table.
pub async fn accounts(file: &Path) -> Result<Vec<Account>> {
    let mut copy = open(file).await?;
    let rows = sqlx::query(ACCOUNTS).fetch_all(&mut copy).await?;
    copy.close().await?;
    let account = |row: SqliteRow| {
        Ok(Account {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            is_administrator: row.try_get::<String, _>("role")? == Role::Administrator.as_str(),
            is_disabled: row.try_get::<Option<i64>, _>("disabled_at")?.is_some(),
            password_hash: PasswordHash(row.try_get("password_hash")?),
        })
    };
    rows.into_iter().map(account).collect()
}

/// Reads a whole copy. `None`: it is not a Postern database.
pub async fn inspect(file: &Path) -> Result<Option<IntegrityReport>> {
    let mut copy = open(file).await?;
    if !has_table(&mut copy, "_sqlx_migrations").await? {
        return Ok(None);
    }
    let answer: String = sqlx::query("PRAGMA integrity_check(1)").fetch_one(&mut copy).await?.try_get(0)?;
    let version: i64 =
        sqlx::query("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut copy).await?.try_get(0)?;
    let note = if has_table(&mut copy, "backup_note").await? {
        let row = sqlx::query("SELECT made_at, sealed_key FROM backup_note").fetch_one(&mut copy).await?;
        let made_at = UnixMs::from_millis(row.try_get("made_at")?);
        Some(BackupNote { made_at, sealed_key: row.try_get("sealed_key")? })
    } else {
        None
    };
    copy.close().await?;
    Ok(Some(IntegrityReport {
        fault: (answer != "ok").then_some(answer),
        is_newer: version > newest_migration(),
        note,
    }))
}

/// Whether another process has the database open. Leaving WAL mode needs an exclusive lock; it also deletes the
/// journal.
pub async fn is_in_use(file: &Path) -> bool {
    match open(file).await {
        Ok(connection) => connection.close().await.is_err(),
        Err(Error::Database(sqlx::Error::Database(error))) => {
            matches!(error.code().and_then(|code| code.parse::<u32>().ok()), Some(code) if code & 0xff == 5 || code & 0xff == 6)
        }
        // Such a file cannot be in use as a database.
        Err(_) => false,
    }
}

pub(crate) async fn open(file: &Path) -> Result<SqliteConnection> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::MIGRATIONS;
    use sqlx::migrate::Migrator;

    const HOUR: i64 = 3_600_000;

    #[tokio::test]
    async fn a_copy_of_an_earlier_version_is_settled_too() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("copy.db");
        let mut copy = SqliteConnectOptions::new().filename(&file).create_if_missing(true).connect().await?;
        // From before app codes, and before skeletons of names.
        let then: Vec<_> = MIGRATIONS.iter().filter(|migration| migration.version <= 5).cloned().collect();
        Migrator::with_migrations(then).run(&mut copy).await?;
        sqlx::raw_sql(
            "INSERT INTO users (id, name, name_key, password_hash, role, created_at, key_version)
                VALUES ('u', 'ada', 'ada', 'hash', 'administrator', 1, 1);
            INSERT INTO sessions (id, user_id, generation, refresh_hash, device, address, created_at, used_at,
                    rotated_at, idle_at, ends_at, changed_at)
                VALUES ('s', 'u', 0, 'r', '', '', 1, 1, 1, 7200000, 7200000, 1);
            INSERT INTO resets (user_id, code_hash, made_by, created_at, expires_at)
                VALUES ('u', 'c', NULL, 1, 7200000)",
        )
        .execute(&mut copy)
        .await?;
        copy.close().await?;
        assert_eq!(settle(&file, true, UnixMs::from_millis(HOUR)).await?, Settled { sessions: 1, links: 1 });
        assert_eq!(settle(&file, false, UnixMs::from_millis(HOUR)).await?, Settled { sessions: 1, links: 0 });
        assert_eq!(settle(&file, false, UnixMs::from_millis(HOUR)).await?, Settled { sessions: 0, links: 0 });
        let [ada] = &accounts(&file).await?[..] else { return Err("one account".into()) };
        assert_eq!((ada.name.as_str(), ada.is_administrator, ada.is_disabled), ("ada", true, false));
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 1, "nothing is left beside it");
        Ok(())
    }

    #[tokio::test]
    async fn used_and_forgotten_values_do_not_return_with_a_copy() -> std::result::Result<(), Box<dyn std::error::Error>>
    {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("copy.db");
        let connect = SqliteConnectOptions::new().filename(&file);
        open_sqlite(connect, SqlitePoolOptions::new(), StoreOptions::default()).await?.close().await;
        let mut copy = open(&file).await?;
        sqlx::raw_sql(
            "INSERT INTO users (id, name, name_key, password_hash, role, created_at, key_version)
                VALUES ('u', 'ada', 'ada', 'hash', 'user', 1, 1);
            INSERT INTO oauth_initial_tokens (token_hash, note, uses_left, created_at, expires_at)
                VALUES ('t', '', 1, 1, 7200000);
            INSERT INTO remembered_devices (id, user_id, jkt, device, address, created_at, used_at, expires_at)
                VALUES ('d', 'u', 'jkt', '', '', 1, 1, 7200000)",
        )
        .execute(&mut copy)
        .await?;
        copy.close().await?;
        settle(&file, true, UnixMs::from_millis(HOUR)).await?;
        let mut copy = open(&file).await?;
        for count in ["SELECT COUNT(*) FROM oauth_initial_tokens", "SELECT COUNT(*) FROM remembered_devices"] {
            let left: i64 = sqlx::query_scalar(count).fetch_one(&mut copy).await?;
            assert_eq!(left, 0, "{count}");
        }
        Ok(copy.close().await?)
    }
}
