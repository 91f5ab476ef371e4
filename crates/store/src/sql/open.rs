//! Opens a store by its URL.

use super::backend::Backend;
use super::grouped;
use super::migrations::MIGRATIONS;
use super::retry_policy::{RetryPolicy, TIMEOUT};
use super::store::{SqlStore, Writes};
use super::used_short_keys::UsedShortKeys;
use super::writer::Writer;
use crate::attempts::SHORT_KEY_CAP;
use crate::{Result, Store};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Error, Postgres, Sqlite, SqlitePool, Transaction};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Options of a deployment.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Maximum number of connections to PostgreSQL.
    pub connections: u32,
    /// See [`SHORT_KEY_CAP`].
    pub short_key_cap: i64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { connections: 10, short_key_cap: SHORT_KEY_CAP }
    }
}

/// Opens `sqlite:path` or `postgres://...`, runs the migrations and checks every statement.
///
/// An SQLite file is created, readable by its owner only, if its folder exists.
pub async fn open(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        // Each connection would have its own empty database.
        Some(("sqlite", rest)) if rest.is_empty() || rest.contains(":memory:") || rest.contains("mode=memory") => {
            Err(Error::Configuration("an SQLite database must be a file".into()).into())
        }
        Some(("sqlite", _)) => {
            let connect: SqliteConnectOptions = url.parse()?;
            open_sqlite(connect, SqlitePoolOptions::new(), options).await
        }
        Some(("postgres" | "postgresql", _)) => open_postgres(url.parse()?, options).await,
        _ => Err(Error::Configuration("database_url must be sqlite:path or postgres://...".into()).into()),
    }
}

/// Opens an SQLite file with a writing connection made by `writer`, so that hooks can be installed on it
/// (`after_connect`).
pub async fn open_sqlite(
    connect: SqliteConnectOptions,
    writer: SqlitePoolOptions,
    options: StoreOptions,
) -> Result<Arc<dyn Store>> {
    create_file(connect.get_filename()).map_err(Error::Io)?;
    let connect = connect
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-2048")
        .disable_statement_logging();
    let writer = connect_writer(&pool(writer).max_connections(1), &connect).await?;
    let mut transaction = begin(&writer).await?;
    MIGRATIONS.run(&mut *transaction).await?;
    transaction.commit().await?;
    let reads = pool(SqlitePoolOptions::new()).max_connections(4).connect_lazy_with(connect.pragma("query_only", "ON"));
    let grouped = Writes::Grouped(Writer::start(|jobs| grouped::run(writer, jobs)));
    let burnt = UsedShortKeys::new(options.short_key_cap);
    checked::<Sqlite>(SqlStore { order: reads.clone(), reads, writes: grouped, burnt }).await
}

/// Connects the writer, which retries while the file is busy, see [`RetryPolicy`].
async fn connect_writer(pool: &SqlitePoolOptions, connect: &SqliteConnectOptions) -> Result<SqlitePool> {
    let (connect, retry) = (connect.clone().busy_timeout(Duration::ZERO), RetryPolicy::new());
    loop {
        let outcome = pool.clone().connect_with(connect.clone()).await;
        if !retry.asks_again(&outcome).await {
            return Ok(outcome?);
        }
    }
}

async fn begin(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>> {
    let retry = RetryPolicy::new();
    loop {
        let outcome = writer.begin_with("BEGIN IMMEDIATE").await;
        if !retry.asks_again(&outcome).await {
            return Ok(outcome?);
        }
    }
}

async fn open_postgres(connect: PgConnectOptions, options: StoreOptions) -> Result<Arc<dyn Store>> {
    let connect = connect.disable_statement_logging();
    let pool = PgPoolOptions::new().max_connections(options.connections).acquire_timeout(TIMEOUT);
    let reads = pool.connect_with(connect.clone()).await?;
    MIGRATIONS.run(&reads).await?;
    let order = PgPoolOptions::new().max_connections(1).acquire_timeout(TIMEOUT).connect_with(connect).await?;
    let burnt = UsedShortKeys::new(options.short_key_cap);
    checked::<Postgres>(SqlStore { reads, order, writes: Writes::Each, burnt }).await
}

async fn checked<DB: Backend>(store: SqlStore<DB>) -> Result<Arc<dyn Store>> {
    store.check_statements().await?;
    store.adopt_names().await?;
    Ok(Arc::new(store))
}

/// Sets the options of a pool. A file does not disconnect, so testing connections before use would only cost time.
fn pool(options: SqlitePoolOptions) -> SqlitePoolOptions {
    options.acquire_timeout(TIMEOUT).test_before_acquire(false)
}

fn create_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
