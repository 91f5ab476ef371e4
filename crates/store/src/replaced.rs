//! The database that a restored copy replaces: what the copy takes over from it, and what differs.

use crate::copies::open;
use crate::{Error, Result};
use domain::UnixMs;
use domain::totp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};
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

/// A kind of difference between a copy and the database that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// Accounts with a second factor that was removed since the copy was made.
    FactorsReturned,
    /// Accounts that lack a second factor that was added since.
    FactorsLost,
    /// Accounts with other groups.
    Groups,
    /// Accounts with another e-mail address.
    Emails,
    /// Accounts with an own key that was revoked since.
    UserKeysReturned,
    /// Networks that were removed from the allowlist since.
    AllowedReturned,
    AllowedLost,
    /// Addresses whose bans were lifted since.
    BansReturned,
    /// Addresses that operators have banned since.
    BansLost,
    /// Clients that were removed since.
    ClientsReturned,
    ClientsLost,
    /// Clients whose settings or secrets were changed since, or that were disabled.
    ClientsChanged,
    /// Services that were removed or changed since.
    ServicesReturned,
    ServicesLost,
    /// Server keys that were revoked since.
    ServerKeysReturned,
}

/// Accounts that have a second factor here and not there.
const FACTORS: &str = "SELECT u.name FROM here.users u JOIN there.users r ON r.id = u.id
    WHERE u.deleted_at IS NULL AND r.deleted_at IS NULL AND (
        EXISTS (SELECT 1 FROM here.totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL
            AND t.id NOT IN (SELECT id FROM there.totp WHERE confirmed_at IS NOT NULL))
        OR EXISTS (SELECT 1 FROM here.passkeys p WHERE p.user_id = u.id AND p.id NOT IN (SELECT id FROM there.passkeys)))";
const GROUPS: &str = "WITH
    ours AS (SELECT m.user_id, g.name_key FROM here.group_members m JOIN here.user_groups g ON g.id = m.group_id),
    theirs AS (SELECT m.user_id, g.name_key FROM there.group_members m JOIN there.user_groups g ON g.id = m.group_id)
    SELECT DISTINCT u.name FROM here.users u JOIN there.users r ON r.id = u.id
    JOIN (SELECT user_id FROM (SELECT * FROM ours EXCEPT SELECT * FROM theirs)
        UNION SELECT user_id FROM (SELECT * FROM theirs EXCEPT SELECT * FROM ours)) d ON d.user_id = u.id
    WHERE u.deleted_at IS NULL AND r.deleted_at IS NULL";
const EMAILS: &str = "SELECT u.name FROM here.users u JOIN there.users r ON r.id = u.id
    WHERE u.deleted_at IS NULL AND r.deleted_at IS NULL AND u.email_key IS NOT r.email_key";
const USER_KEYS: &str = "SELECT DISTINCT u.name FROM here.user_keys k JOIN here.users u ON u.id = k.user_id
    JOIN there.user_keys r ON r.user_id = k.user_id AND r.version = k.version
    WHERE u.deleted_at IS NULL AND k.revoked_at IS NULL AND r.revoked_at IS NOT NULL";
/// Networks that are on the list here and not there.
const ALLOWED: &str = "SELECT network FROM here.allowlist WHERE (expires_at IS NULL OR expires_at > $1)
    AND network NOT IN (SELECT network FROM there.allowlist WHERE expires_at IS NULL OR expires_at > $1)";
const BANS_RETURNED: &str = "SELECT DISTINCT b.identity FROM here.bans b JOIN there.bans r ON r.id = b.id
    WHERE b.until > $1 AND b.lifted_at IS NULL AND r.lifted_at IS NOT NULL";
const BANS_LOST: &str = "SELECT DISTINCT r.identity FROM there.bans r
    WHERE r.until > $1 AND r.lifted_at IS NULL AND r.made_by <> 'engine' AND NOT EXISTS
        (SELECT 1 FROM here.bans b WHERE b.identity = r.identity AND b.until > $1 AND b.lifted_at IS NULL)";
/// Clients that exist here and not there.
const CLIENTS: &str = "SELECT id FROM here.oauth_clients WHERE id NOT IN (SELECT id FROM there.oauth_clients)";
const CLIENTS_CHANGED: &str = "SELECT c.id FROM here.oauth_clients c JOIN there.oauth_clients r ON r.id = c.id
    WHERE c.registration <> r.registration OR c.secrets <> r.secrets
    UNION SELECT d.id FROM here.oauth_documents d JOIN there.oauth_documents r ON r.id = d.id
    WHERE d.disabled_at IS NULL AND r.disabled_at IS NOT NULL";
const SERVICES_RETURNED: &str = "SELECT s.name FROM here.services s LEFT JOIN there.services r ON r.name = s.name
    WHERE r.name IS NULL OR r.jwk <> s.jwk OR r.role IS NOT s.role";
const SERVICES_LOST: &str = "SELECT name FROM there.services WHERE name NOT IN (SELECT name FROM here.services)";
const SERVER_KEYS: &str = "SELECT k.kind || ' ' || k.kid FROM here.keys k JOIN there.keys r ON r.kid = k.kid
    WHERE k.revoked_at IS NULL AND r.revoked_at IS NOT NULL";

/// The names of the copy and of the replaced database in a query.
const COPY_HERE: [&str; 2] = ["main.", "replaced."];
const COPY_THERE: [&str; 2] = ["replaced.", "main."];

/// The queries for names. `$1`: now.
const QUERIES: [(Difference, &str, [&str; 2]); 15] = [
    (Difference::FactorsReturned, FACTORS, COPY_HERE),
    (Difference::FactorsLost, FACTORS, COPY_THERE),
    (Difference::Groups, GROUPS, COPY_HERE),
    (Difference::Emails, EMAILS, COPY_HERE),
    (Difference::UserKeysReturned, USER_KEYS, COPY_HERE),
    (Difference::AllowedReturned, ALLOWED, COPY_HERE),
    (Difference::AllowedLost, ALLOWED, COPY_THERE),
    (Difference::BansReturned, BANS_RETURNED, COPY_HERE),
    (Difference::BansLost, BANS_LOST, COPY_HERE),
    (Difference::ClientsReturned, CLIENTS, COPY_HERE),
    (Difference::ClientsLost, CLIENTS, COPY_THERE),
    (Difference::ClientsChanged, CLIENTS_CHANGED, COPY_HERE),
    (Difference::ServicesReturned, SERVICES_RETURNED, COPY_HERE),
    (Difference::ServicesLost, SERVICES_LOST, COPY_HERE),
    (Difference::ServerKeysReturned, SERVER_KEYS, COPY_HERE),
];

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

/// Returns the names of what differs between a copy and the database that it replaces, by kind. A kind without
/// differences is left out.
///
/// # Errors
/// One of them cannot be read, or is of another version.
pub async fn differences(copy: &Path, replaced: &Path, now: UnixMs) -> Result<Vec<(Difference, Vec<String>)>> {
    let mut both = open_both(copy, replaced).await?;
    let mut found = Vec::new();
    for (kind, sql, [here, there]) in QUERIES {
        let named = format!("{} ORDER BY 1", sql.replace("there.", there).replace("here.", here));
        let query = sqlx::query_scalar(AssertSqlSafe(named));
        let query = if sql.contains("$1") { query.bind(now.as_millis()) } else { query };
        let names: Vec<String> = query.fetch_all(&mut both).await?;
        if !names.is_empty() {
            found.push((kind, names));
        }
    }
    both.close().await?;
    Ok(found)
}

/// Opens a copy, with the other database as `replaced`.
async fn open_both(copy: &Path, replaced: &Path) -> Result<SqliteConnection> {
    // SQLite takes a name that begins with "file:" for a URI.
    let path = std::path::absolute(replaced).map_err(sqlx::Error::from)?;
    let path = path.to_str().ok_or_else(|| sqlx::Error::Configuration("the path is not UTF-8".into()))?;
    let mut both = open(copy).await?;
    sqlx::query("ATTACH DATABASE $1 AS replaced").bind(path).execute(&mut both).await.map_err(Error::from)?;
    Ok(both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StoreOptions, open_sqlite};
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    use std::path::PathBuf;

    type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

    const NOW: UnixMs = UnixMs::from_millis(300_000);
    /// Ada has a generator, a passkey and two recovery codes.
    const ROWS: &str = "INSERT INTO users (id, name, name_key, password_hash, role, created_at, key_version)
            VALUES ('a', 'ada', 'ada', 'hash', 'user', 1, 1);
        INSERT INTO totp (id, user_id, sealed, last_step, drift, created_at, confirmed_at) VALUES ('t', 'a', '', 1, 0, 1, 1);
        INSERT INTO passkeys (id, credential_id, user_id, relying_party, public_key, aaguid, transports, user_verified,
                backup_eligible, backed_up, sign_count, label, created_at)
            VALUES ('p', 'p', 'a', 'auth.example', '', '', '', 1, 0, 0, 5, '', 1);
        INSERT INTO recovery_codes (user_id, code_hash, created_at) VALUES ('a', 'one', 1), ('a', 'two', 1);
        INSERT INTO oauth_consents (user_id, client_id, scope, given_at) VALUES ('a', 'app', 'openid', 1);
        INSERT INTO allowlist (id, network, comment, made_by, created_at) VALUES ('n', '192.0.2.0/24', '', 'x', 1)";

    async fn database(folder: &Path, name: &str, changes: &str) -> Result<PathBuf> {
        let file = folder.join(name);
        let connect = SqliteConnectOptions::new().filename(&file);
        open_sqlite(connect, SqlitePoolOptions::new(), StoreOptions::default()).await?.close().await;
        let mut database = open(&file).await?;
        for sql in [ROWS, changes] {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut database).await?;
        }
        database.close().await?;
        Ok(file)
    }

    /// Returns the last step, the drift, the counter, the unused recovery codes, and the numbers of proofs and consents.
    async fn state(file: &Path) -> Result<(i64, i64, i64, String, i64, i64)> {
        let mut database = open(file).await?;
        let state = sqlx::query_as(
            "SELECT (SELECT last_step FROM totp), (SELECT drift FROM totp), (SELECT sign_count FROM passkeys),
                (SELECT coalesce(group_concat(code_hash, ' '), '') FROM recovery_codes WHERE used_at IS NULL),
                (SELECT COUNT(*) FROM used_proofs), (SELECT COUNT(*) FROM oauth_consents)",
        )
        .fetch_one(&mut database)
        .await?;
        database.close().await?;
        Ok(state)
    }

    #[tokio::test]
    async fn what_was_used_since_stays_used() -> Outcome {
        let folder = tempfile::tempdir()?;
        let copy = database(folder.path(), "copy.db", "").await?;
        let used = "UPDATE totp SET last_step = 9, drift = 2, used_at = 270000;
            UPDATE passkeys SET sign_count = 8; UPDATE recovery_codes SET used_at = 270000 WHERE code_hash = 'one';
            INSERT INTO used_proofs (id, expires_at) VALUES ('x', 400000); DELETE FROM oauth_consents;
            INSERT INTO oauth_subjects (sector, user_id, subject) VALUES ('app.example', 'a', 'known there')";
        let live = database(folder.path(), "live.db", used).await?;
        assert_eq!(carry_over(&copy, Some(&live), NOW).await?, RestoredCodes::CarriedOver);
        assert_eq!(state(&copy).await?, (9, 2, 8, "two".to_owned(), 1, 0));
        let mut database = open(&copy).await?;
        let subject: String = sqlx::query_scalar("SELECT subject FROM oauth_subjects").fetch_one(&mut database).await?;
        assert_eq!(subject, "known there", "an app would take another name for another person");
        database.close().await?;
        assert_eq!(differences(&copy, &live, NOW).await?, []);
        Ok(())
    }

    #[tokio::test]
    async fn apps_keep_the_access_that_nobody_has_ended() -> Outcome {
        let folder = tempfile::tempdir()?;
        let given = "INSERT INTO sessions (id, user_id, generation, refresh_hash, device, address, created_at, used_at,
                rotated_at, idle_at, ends_at, changed_at) VALUES ('s', 'a', 1, 'x', '', '', 1, 1, 1, 900000, 900000, 1);
            INSERT INTO oauth_grants (id, client_id, user_id, session_id, details, generation, refresh_hash,
                used_generation, created_at, rotated_at, ends_at)
            VALUES ('g', 'app', 'a', 's', '', 1, 'first', 0, 1, 1, 900000), ('w', 'app', 'a', 's', '', 1, 'w', 0, 1, 1, 900000)";
        let copy = database(folder.path(), "copy.db", given).await?;
        let since = "UPDATE oauth_grants SET generation = 2, refresh_hash = 'second', previous_hash = 'first',
                used_generation = 1 WHERE id = 'g';
            UPDATE oauth_grants SET revoked_at = 250000 WHERE id = 'w'";
        let live = database(folder.path(), "live.db", &format!("{given}; {since}")).await?;
        assert_eq!(keep_live_sessions(&copy, &live, NOW).await?, 1);
        let mut database = open(&copy).await?;
        let grants: Vec<(String, i64, String, Option<i64>)> =
            sqlx::query_as("SELECT id, generation, refresh_hash, revoked_at FROM oauth_grants ORDER BY id")
                .fetch_all(&mut database)
                .await?;
        let named = |(id, generation, hash, revoked): (&str, i64, &str, Option<i64>)| {
            (id.to_owned(), generation, hash.to_owned(), revoked)
        };
        assert_eq!(grants, [named(("g", 2, "second", None)), named(("w", 1, "w", Some(NOW.as_millis())))]);
        Ok(database.close().await?)
    }

    #[tokio::test]
    async fn factors_that_were_removed_since_are_named_and_have_no_codes() -> Outcome {
        let folder = tempfile::tempdir()?;
        let copy = database(folder.path(), "copy.db", "").await?;
        let removed = "DELETE FROM totp; DELETE FROM passkeys; DELETE FROM recovery_codes; DELETE FROM allowlist;
            UPDATE users SET email_key = 'ada@example.com'";
        let live = database(folder.path(), "live.db", removed).await?;
        assert_eq!(carry_over(&copy, Some(&live), NOW).await?, RestoredCodes::CarriedOver);
        // Codes up to the next step may have been used, and the next but one if the device's drift had grown.
        assert_eq!(state(&copy).await?, (12, 0, 5, String::new(), 0, 1));
        let ada = || vec!["ada".to_owned()];
        let named = [
            (Difference::FactorsReturned, ada()),
            (Difference::Emails, ada()),
            (Difference::AllowedReturned, vec!["192.0.2.0/24".to_owned()]),
        ];
        assert_eq!(differences(&copy, &live, NOW).await?, named);
        assert_eq!(differences(&live, &copy, NOW).await?.first(), Some(&(Difference::FactorsLost, ada())));
        Ok(())
    }

    #[tokio::test]
    async fn without_a_database_to_compare_with_recovery_codes_are_void() -> Outcome {
        let folder = tempfile::tempdir()?;
        let junk = folder.path().join("junk.db");
        std::fs::write(&junk, [7; 4096])?;
        for (name, replaced) in [("one.db", None), ("two.db", Some(junk.as_path()))] {
            let copy = database(folder.path(), name, "").await?;
            assert_eq!(carry_over(&copy, replaced, NOW).await?, RestoredCodes::Voided(1));
            assert_eq!(state(&copy).await?, (12, 0, 5, String::new(), 0, 1));
        }
        Ok(())
    }
}
