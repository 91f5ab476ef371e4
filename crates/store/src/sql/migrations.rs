//! The embedded migrations. They are a list, because sqlx's macros would compile both drivers a second time for the
//! compiler.

use crate::Result;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection, PgConnection, SqlStr};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Number, name and text. Numbers may have gaps, because a branch keeps its number.
const FILES: &[(i64, &str, &str)] = &[
    (1, "begin", include_str!("../../migrations/0001_begin.sql")),
    (2, "accounts", include_str!("../../migrations/0002_accounts.sql")),
    (3, "audit at", include_str!("../../migrations/0003_audit_at.sql")),
    (4, "operators", include_str!("../../migrations/0004_operators.sql")),
    (5, "user keys", include_str!("../../migrations/0005_user_keys.sql")),
    (6, "server keys", include_str!("../../migrations/0006_server_keys.sql")),
    (7, "toll", include_str!("../../migrations/0007_toll.sql")),
    (8, "app codes", include_str!("../../migrations/0008_app_codes.sql")),
    (9, "proofs", include_str!("../../migrations/0009_proofs.sql")),
    (10, "leases", include_str!("../../migrations/0010_leases.sql")),
    (11, "used generation", include_str!("../../migrations/0011_used_generation.sql")),
    (12, "names", include_str!("../../migrations/0012_names.sql")),
    (13, "password parameters", include_str!("../../migrations/0013_password_parameters.sql")),
    (15, "app codes of session", include_str!("../../migrations/0015_app_codes_of_session.sql")),
    (16, "bans", include_str!("../../migrations/0016_bans.sql")),
    (18, "gates", include_str!("../../migrations/0018_gates.sql")),
    (19, "authentication", include_str!("../../migrations/0019_authentication.sql")),
    (20, "second factors", include_str!("../../migrations/0020_second_factors.sql")),
    (22, "profiles", include_str!("../../migrations/0022_profiles.sql")),
    (23, "imports", include_str!("../../migrations/0023_imports.sql")),
    (24, "notices", include_str!("../../migrations/0024_notices.sql")),
    (25, "passkeys", include_str!("../../migrations/0025_passkeys.sql")),
    (27, "oauth", include_str!("../../migrations/0027_oauth.sql")),
    (28, "oauth logouts", include_str!("../../migrations/0028_oauth_logouts.sql")),
    (29, "oauth devices", include_str!("../../migrations/0029_oauth_devices.sql")),
    (31, "session order", include_str!("../../migrations/0031_session_order.sql")),
    (32, "mails", include_str!("../../migrations/0032_mails.sql")),
    (33, "factors", include_str!("../../migrations/0033_factors.sql")),
    (35, "email proofs", include_str!("../../migrations/0035_email_proofs.sql")),
    (36, "oauth registrations", include_str!("../../migrations/0036_oauth_registrations.sql")),
    (38, "oauth logouts next", include_str!("../../migrations/0038_oauth_logouts_next.sql")),
    (39, "mail queue", include_str!("../../migrations/0039_mail_queue.sql")),
    (40, "oauth indexes", include_str!("../../migrations/0040_oauth_indexes.sql")),
    (41, "disabled documents", include_str!("../../migrations/0041_disabled_documents.sql")),
    (43, "pushed requests kept", include_str!("../../migrations/0043_pushed_requests_kept.sql")),
    (45, "many accounts", include_str!("../../migrations/0045_many_accounts.sql")),
    (46, "open resets", include_str!("../../migrations/0046_open_resets.sql")),
    (47, "proofs and notices", include_str!("../../migrations/0047_proofs_and_notices.sql")),
    (48, "hints and resources", include_str!("../../migrations/0048_hints_and_resources.sql")),
    (49, "large installations", include_str!("../../migrations/0049_large_installations.sql")),
    (53, "second dots", include_str!("../../migrations/0053_second_dots.sql")),
];

/// All migrations, in the order of their numbers.
pub(crate) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(FILES.iter().copied().map(migration).collect())
});

/// The lock for running migrations through a pooler: any number that is the same for all nodes.
const BEGIN_POOLED: &str = "SELECT pg_advisory_xact_lock(7102846093415); DEALLOCATE ALL";
const END_POOLED: &str = "DEALLOCATE ALL";

/// Runs all migrations on PostgreSQL. Waits for other nodes that do the same.
pub(super) async fn migrate(connection: &mut PgConnection, is_pooled: bool) -> Result<()> {
    if !is_pooled {
        return Ok(MIGRATIONS.run(connection).await?);
    }
    // The lock of sqlx belongs to a session, and would stay locked in a session of the pooler. Its prepared statements
    // would stay there, too.
    let mut unlocked = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    unlocked.set_locking(false);
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(BEGIN_POOLED).execute(&mut *transaction).await?;
    unlocked.run(&mut *transaction).await?;
    sqlx::raw_sql(END_POOLED).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// Returns the newest migration's version that this program knows.
pub(crate) fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_list_under_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let listed: Vec<String> = MIGRATIONS
            .iter()
            .map(|migration| format!("{:04}_{}.sql", migration.version, migration.description.replace(' ', "_")))
            .collect();
        assert_eq!(files, listed);
    }
}
