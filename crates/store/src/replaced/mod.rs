//! The database that a restored copy replaces: what the copy takes over from it, and what differs.

mod carry_over;
mod differences;

pub use carry_over::{RestoredCodes, RestoredKeys, carry_over, keep_live_sessions, keep_server_keys};
pub use differences::{Difference, differences};

use crate::copies::open;
use crate::{Error, Result};
use sqlx::sqlite::SqliteConnection;
use std::path::Path;

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
    use domain::UnixMs;
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    use sqlx::{AssertSqlSafe, Connection};
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
