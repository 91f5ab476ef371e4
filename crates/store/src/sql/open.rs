//! From an address to a store.

use super::backend::Backend;
use super::burnt::Burnt;
use super::grouped;
use super::migrations::MIGRATIONS;
use super::store::{SqlStore, Writes};
use super::writer::Writer;
use crate::attempts::SHORT_KEY_CAP;
use crate::{Result, Store};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Error, Postgres, Sqlite, SqlitePool};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a statement waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a busy file is left alone before it is asked again.
const PAUSE: Duration = Duration::from_millis(10);

/// What a deployment may choose.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The most connections to PostgreSQL.
    pub connections: u32,
    /// See [`SHORT_KEY_CAP`].
    pub short_key_cap: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 10, short_key_cap: SHORT_KEY_CAP }
    }
}

/// Opens `sqlite:path` or `postgres://...`, brings its tables up to date and checks every statement.
///
/// An SQLite file is created, readable by its owner alone, where its folder exists.
pub async fn open(url: &str, options: Options) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        // Each connection would have an empty database of its own.
        Some(("sqlite", rest)) if rest.is_empty() || rest.contains(":memory:") || rest.contains("mode=memory") => {
            Err(Error::Configuration("an SQLite database must be a file".into()).into())
        }
        Some(("sqlite", _)) => {
            let connect: SqliteConnectOptions = url.parse()?;
            open_sqlite(connect, SqlitePoolOptions::new(), options).await
        }
        Some(("postgres" | "postgresql", _)) => open_postgres(url.parse()?, options).await,
        _ => Err(Error::Configuration("the database is not sqlite:path or postgres://...".into()).into()),
    }
}

/// Opens an SQLite file whose one writing connection is made by `writer`, so that hooks can be
/// installed on it (`after_connect`).
pub async fn open_sqlite(
    connect: SqliteConnectOptions,
    writer: SqlitePoolOptions,
    options: Options,
) -> Result<Arc<dyn Store>> {
    create_file(connect.get_filename()).map_err(Error::Io)?;
    let connect = connect
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-2048")
        .disable_statement_logging();
    let writer = connect_patiently(&pool(writer).max_connections(1), &connect).await?;
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run(&mut *transaction).await?;
    transaction.commit().await?;
    let reads = pool(SqlitePoolOptions::new()).max_connections(4).connect_lazy_with(connect.pragma("query_only", "ON"));
    let grouped = Writes::Grouped(Writer::start(|jobs| grouped::run(writer, jobs)));
    checked::<Sqlite>(SqlStore { reads, writes: grouped, burnt: Burnt::new(options.short_key_cap) }).await
}

/// Changing a file to WAL does not wait for another process that does so at the same moment: SQLite says
/// "busy" at once, whatever the time-out. So we ask again.
async fn connect_patiently(pool: &SqlitePoolOptions, connect: &SqliteConnectOptions) -> Result<SqlitePool> {
    let began = Instant::now();
    loop {
        match pool.clone().connect_with(connect.clone()).await {
            Err(Error::Database(error)) if is_busy(&*error) && began.elapsed() < PATIENCE => sleep(PAUSE).await,
            other => return Ok(other?),
        }
    }
}

/// `SQLITE_BUSY` and its extended codes.
fn is_busy(error: &dyn DatabaseError) -> bool {
    error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

async fn open_postgres(connect: PgConnectOptions, options: Options) -> Result<Arc<dyn Store>> {
    let connect = connect.disable_statement_logging();
    let pool = PgPoolOptions::new().max_connections(options.connections).acquire_timeout(PATIENCE);
    let reads = pool.connect_with(connect).await?;
    MIGRATIONS.run(&reads).await?;
    checked::<Postgres>(SqlStore { reads, writes: Writes::Each, burnt: Burnt::new(options.short_key_cap) }).await
}

async fn checked<DB: Backend>(store: SqlStore<DB>) -> Result<Arc<dyn Store>> {
    store.check_statements().await?;
    store.adopt_names().await?;
    Ok(Arc::new(store))
}

/// A file does not hang up: testing a connection before each use would only cost time.
fn pool(options: SqlitePoolOptions) -> SqlitePoolOptions {
    options.acquire_timeout(PATIENCE).test_before_acquire(false)
}

fn create_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
