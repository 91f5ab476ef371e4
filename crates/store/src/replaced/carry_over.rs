//! The rows that a restored copy takes over from the database that it replaces.

use super::open_both;
use crate::Result;
use crate::copies::open;
use domain::UnixMs;
use domain::totp;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use std::path::Path;

/// Statements that take over from the replaced database: values that may be used once, consents, and the names by which
/// apps know people. `$1`: the newest step whose code may have been used on a device without drift.
const CARRY_OVER: [&str; 9] = [
    "DELETE FROM main.recovery_codes",
    "INSERT INTO main.recovery_codes (user_id, code_hash, created_at, used_at)
        SELECT c.user_id, c.code_hash, c.created_at, c.used_at FROM replaced.recovery_codes c
        JOIN main.users u ON u.id = c.user_id AND u.deleted_at IS NULL
        WHERE EXISTS (SELECT 1 FROM main.totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL)
            OR EXISTS (SELECT 1 FROM main.passkeys p WHERE p.user_id = u.id)",
    "UPDATE main.totp SET last_step = max(totp.last_step, r.last_step), drift = r.drift, used_at = r.used_at
        FROM replaced.totp r WHERE r.id = totp.id",
    "UPDATE main.totp SET last_step = max(last_step, $1 + drift) WHERE id NOT IN (SELECT id FROM replaced.totp)",
    "UPDATE main.passkeys SET sign_count = max(passkeys.sign_count, r.sign_count), backed_up = r.backed_up,
        used_at = r.used_at FROM replaced.passkeys r WHERE r.id = passkeys.id",
    "INSERT OR IGNORE INTO main.used_proofs (id, expires_at) SELECT id, expires_at FROM replaced.used_proofs",
    "INSERT OR IGNORE INTO main.short_keys (id, identity, body, burnt_at, resent_at, expires_at)
        SELECT id, identity, body, burnt_at, resent_at, expires_at FROM replaced.short_keys",
    "DELETE FROM main.oauth_consents WHERE user_id IN (SELECT id FROM replaced.users) AND NOT EXISTS
        (SELECT 1 FROM replaced.oauth_consents r
            WHERE r.user_id = oauth_consents.user_id AND r.client_id = oauth_consents.client_id)",
    "INSERT OR IGNORE INTO main.oauth_subjects (sector, user_id, subject) SELECT r.sector, r.user_id, r.subject
        FROM replaced.oauth_subjects r JOIN main.users u ON u.id = r.user_id AND u.deleted_at IS NULL",
];

macro_rules! whole {
    ($($table:literal),+) => {
        [$([concat!("DELETE FROM main.", $table), concat!("INSERT INTO main.", $table, " SELECT * FROM replaced.", $table)]),+]
    };
}

/// Statements that take over whole tables of the gate. Both databases have one version, so the columns are the same. A
/// payment stays in the chain: a restore must neither lose what it bought nor let it buy twice.
const GATE_TABLES: [[&str; 2]; 7] =
    whole!["toll_payments", "toll_outputs", "toll_tokens", "toll_late", "toll_free", "toll_days", "leases"];

const WITH_CODES: &str = "SELECT COUNT(DISTINCT user_id) FROM recovery_codes WHERE used_at IS NULL";
const VOID_CODES: &str = "DELETE FROM recovery_codes";
const VOID_STEPS: &str = "UPDATE totp SET last_step = max(last_step, $1 + drift)";

/// Ends sessions of the copy that are ended, over or deleted in the other database.
const END_SESSIONS: &str = "UPDATE main.sessions SET revoked_at = $1, changed_at = $1 WHERE revoked_at IS NULL
    AND id NOT IN (SELECT id FROM replaced.sessions WHERE revoked_at IS NULL AND idle_at > $1 AND ends_at > $1)";
const ADVANCE_SESSIONS: &str = "UPDATE main.sessions SET generation = r.generation, used_generation = r.used_generation,
        refresh_hash = r.refresh_hash, previous_hash = r.previous_hash, used_at = r.used_at, rotated_at = r.rotated_at,
        idle_at = r.idle_at, ends_at = r.ends_at, changed_at = r.changed_at, auth_time = r.auth_time, methods = r.methods
    FROM replaced.sessions r WHERE r.id = sessions.id AND sessions.revoked_at IS NULL";
/// Ends what apps got and lost since: their access ends with a withdrawn consent too, and not with the session only.
const END_GRANTS: &str = "UPDATE main.oauth_grants SET revoked_at = $1 WHERE revoked_at IS NULL
    AND id NOT IN (SELECT id FROM replaced.oauth_grants WHERE revoked_at IS NULL AND ends_at > $1)";
/// The last refresh token of an app would otherwise pass for a used one that came back.
const ADVANCE_GRANTS: &str = "UPDATE main.oauth_grants SET generation = r.generation,
        used_generation = r.used_generation, refresh_hash = r.refresh_hash, previous_hash = r.previous_hash, jkt = r.jkt,
        rotated_at = r.rotated_at, ends_at = r.ends_at
    FROM replaced.oauth_grants r WHERE r.id = oauth_grants.id AND oauth_grants.revoked_at IS NULL";
const LIVE_SESSIONS: &str =
    "SELECT COUNT(*) FROM main.sessions WHERE revoked_at IS NULL AND idle_at > $1 AND ends_at > $1";
const SEALERS_OF_KEYS: &str = "SELECT DISTINCT substr(sealed, 1, 8) FROM replaced.keys WHERE sealed <> ''";
const KEEP_KEYS: [&str; 3] = [
    "DELETE FROM main.keys",
    "INSERT INTO main.keys (kid, kind, alg, sealed, created_at, used_from, revoked_at)
        SELECT kid, kind, alg, sealed, created_at, used_from, revoked_at FROM replaced.keys",
    "INSERT OR IGNORE INTO main.retired_sealers (kid, retired_at) SELECT kid, retired_at FROM replaced.retired_sealers",
];

/// Number of steps by which a used code may be ahead of the clock. A code of the next step is accepted, and the drift
/// of the device may have grown by one.
const STEPS_AHEAD: i64 = 2;

/// The fate of the recovery codes of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoredCodes {
    /// They are those of the replaced database, used or not.
    CarriedOver,
    /// They may have been used since, so they are void. The number of accounts that had some.
    Voided(i64),
}

/// The server keys of a restored copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoredKeys {
    /// They are those of the replaced database, so keys that were rotated or revoked since stay so.
    Kept,
    OfBackup,
}

/// Takes over from `replaced` the values that were used up since the copy was made. These are recovery codes, one-time
/// codes, counters of passkeys, proofs, and the payments and tokens of the gate. Withdrawn consents stay withdrawn. Without
/// such a database, voids the values that may have been used since.
///
/// # Errors
/// The copy cannot be written.
pub async fn carry_over(copy: &Path, replaced: Option<&Path>, now: UnixMs) -> Result<RestoredCodes> {
    let newest = totp::step(now) + STEPS_AHEAD;
    // A database that cannot be read may be the reason for restoring.
    if let Some(replaced) = replaced
        && carry(copy, replaced, newest).await.is_ok()
    {
        return Ok(RestoredCodes::CarriedOver);
    }
    let mut copy = open(copy).await?;
    let mut transaction = copy.begin().await?;
    let accounts = sqlx::query_scalar(WITH_CODES).fetch_one(&mut *transaction).await?;
    sqlx::query(VOID_CODES).execute(&mut *transaction).await?;
    sqlx::query(VOID_STEPS).bind(newest).execute(&mut *transaction).await?;
    transaction.commit().await?;
    copy.close().await?;
    Ok(RestoredCodes::Voided(accounts))
}

async fn carry(copy: &Path, replaced: &Path, newest: i64) -> Result<()> {
    let mut both = open_both(copy, replaced).await?;
    let carried = carry_all(&mut both, newest).await;
    // Closed after a failure too, because the copy is opened again.
    both.close().await?;
    carried
}

async fn carry_all(both: &mut SqliteConnection, newest: i64) -> Result<()> {
    let mut transaction = both.begin().await?;
    for sql in CARRY_OVER.into_iter().chain(GATE_TABLES.into_iter().flatten()) {
        let query = sqlx::query(sql);
        let query = if sql.contains("$1") { query.bind(newest) } else { query };
        query.execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

/// Ends the sessions of the copy that were ended since it was made, and takes over how far the others are: without their
/// last refresh tokens they would end. The same holds for the access of apps. Returns how many sessions are valid.
///
/// # Errors
/// One of the databases cannot be used, or they are of different versions. Then nothing is changed.
pub async fn keep_live_sessions(copy: &Path, replaced: &Path, now: UnixMs) -> Result<i64> {
    let mut both = open_both(copy, replaced).await?;
    let kept = keep_sessions(&mut both, now).await;
    both.close().await?;
    kept
}

async fn keep_sessions(both: &mut SqliteConnection, now: UnixMs) -> Result<i64> {
    let mut transaction = both.begin().await?;
    sqlx::query(END_SESSIONS).bind(now.as_millis()).execute(&mut *transaction).await?;
    sqlx::query(ADVANCE_SESSIONS).execute(&mut *transaction).await?;
    sqlx::query(END_GRANTS).bind(now.as_millis()).execute(&mut *transaction).await?;
    sqlx::query(ADVANCE_GRANTS).execute(&mut *transaction).await?;
    let live = sqlx::query_scalar(LIVE_SESSIONS).bind(now.as_millis()).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(live)
}

/// Takes over the server's keys from `replaced`, and which key-encryption keys are retired there. Otherwise a restore would
/// bring keys back into use that were rotated or revoked since.
///
/// `sealers`: the names of the key-encryption keys that are there. Keys that they do not decrypt are not taken over.
///
/// # Errors
/// The copy cannot be written.
pub async fn keep_server_keys(copy: &Path, replaced: Option<&Path>, sealers: &[String]) -> Result<RestoredKeys> {
    let Some(replaced) = replaced else { return Ok(RestoredKeys::OfBackup) };
    let mut both = open_both(copy, replaced).await?;
    let kept = keep_keys(&mut both, sealers).await;
    both.close().await?;
    // A database of another version may lack a column.
    Ok(if kept.unwrap_or(false) { RestoredKeys::Kept } else { RestoredKeys::OfBackup })
}

async fn keep_keys(both: &mut SqliteConnection, sealers: &[String]) -> Result<bool> {
    let used: Vec<String> = sqlx::query_scalar(SEALERS_OF_KEYS).fetch_all(&mut *both).await?;
    if used.is_empty() || used.iter().any(|name| !sealers.contains(name)) {
        return Ok(false);
    }
    let mut transaction = both.begin().await?;
    for sql in KEEP_KEYS {
        sqlx::query(sql).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(true)
}
