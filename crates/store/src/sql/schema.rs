//! The migrations that a database has, compared with those of this program.

use super::access::server;
use super::migrations::{MIGRATIONS, newest_migration};
use crate::Result;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Error, Row};

const HAS_TABLE_SQLITE: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'";
const HAS_TABLE_POSTGRES: &str = "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('_sqlx_migrations')";
const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";

/// The state of a database's tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaState {
    /// Number and name of each migration that [`super::open`] would run.
    pub pending: Vec<String>,
    /// Whether no migration has been run yet.
    pub is_new: bool,
    /// Whether a later version of Postern has changed the database.
    pub is_newer: bool,
}

/// Compares a database with this program. Runs no migration and creates no file.
///
/// # Errors
/// The database does not answer, or the file does not exist.
pub async fn schema_state(url: &str) -> Result<SchemaState> {
    let applied = match url.split_once(':') {
        Some(("sqlite", _)) => {
            let connect: SqliteConnectOptions = url.parse()?;
            let connect = connect.create_if_missing(false).pragma("query_only", "ON").disable_statement_logging();
            let mut database = connect.connect().await?;
            let tables: i64 = sqlx::query_scalar(HAS_TABLE_SQLITE).fetch_one(&mut database).await?;
            let applied = match tables {
                0 => Vec::new(),
                _ => sqlx::query_scalar::<_, i64>(APPLIED).fetch_all(&mut database).await?,
            };
            database.close().await?;
            applied
        }
        Some(("postgres" | "postgresql", _)) => {
            let (connect, _) = server(url)?;
            let mut database = connect.disable_statement_logging().connect().await?;
            // Not prepared, because a pooler may run the statement in another session.
            let tables: i64 = sqlx::raw_sql(HAS_TABLE_POSTGRES).fetch_one(&mut database).await?.try_get(0)?;
            let applied = match tables {
                0 => Vec::new(),
                _ => {
                    let rows = sqlx::raw_sql(APPLIED).fetch_all(&mut database).await?;
                    rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<Vec<i64>, Error>>()?
                }
            };
            database.close().await?;
            applied
        }
        _ => return Err(Error::Configuration("database_url must be sqlite:path or postgres://...".into()).into()),
    };
    Ok(compare(&applied))
}

fn compare(applied: &[i64]) -> SchemaState {
    let pending = MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version));
    SchemaState {
        pending: pending.map(|migration| format!("{} {}", migration.version, migration.description)).collect(),
        is_new: applied.is_empty(),
        is_newer: applied.iter().any(|version| *version > newest_migration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StoreOptions, open};
    use sqlx::migrate::Migrator;

    type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn a_migration_that_is_missing_is_pending_and_an_unknown_one_is_newer() {
        let all: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert_eq!(compare(&all), SchemaState::default());
        assert_eq!(compare(&all[1..]).pending, ["1 begin"]);
        assert_eq!(compare(&[]).pending.len(), all.len());
        assert!(compare(&[]).is_new && !compare(&all[..1]).is_new);
        let later: Vec<i64> = all.iter().copied().chain([newest_migration() + 1]).collect();
        assert_eq!(compare(&later), SchemaState { pending: Vec::new(), is_new: false, is_newer: true });
    }

    #[tokio::test]
    async fn looking_changes_nothing() -> Outcome {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("postern.db");
        let url = format!("sqlite:{}", file.display());
        assert!(schema_state(&url).await.is_err(), "there is no file");
        assert!(!file.exists());

        let mut database = SqliteConnectOptions::new().filename(&file).create_if_missing(true).connect().await?;
        let early: Vec<_> = MIGRATIONS.iter().filter(|migration| migration.version <= 5).cloned().collect();
        Migrator::with_migrations(early).run(&mut database).await?;
        database.close().await?;
        let before = schema_state(&url).await?;
        assert_eq!(before.pending.first().map(String::as_str), Some("6 server keys"));
        assert_eq!(schema_state(&url).await?, before);

        open(&url, StoreOptions::default()).await?.close().await;
        assert_eq!(schema_state(&url).await?, SchemaState::default());
        Ok(())
    }
}
