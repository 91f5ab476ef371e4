//! Opens a store by its URL.

use super::access::{Access, server};
use super::backend::Backend;
use super::connections::Connections;
use super::grouped;
use super::migrations::{MIGRATIONS, migrate};
use super::notifications::{self, Notifications};
use super::retry_policy::{RetryPolicy, TIMEOUT};
use super::store::{SqlStore, Writes};
use super::used_short_keys::UsedShortKeys;
use super::writer::Writer;
use crate::attempts::SHORT_KEY_CAP;
use crate::{Error as StoreError, Result, Store};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Error, PgConnection, Postgres, Row, Sqlite, SqlitePool, Transaction};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Time limit for testing a connection before its use.
const TEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum number of connections for following the other nodes. One is usually open. The next one replaces it at once
/// when it does not answer.
const ORDER: u32 = 2;
const SESSION: &str = "SELECT pg_backend_pid()";

/// Options of a deployment.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Maximum number of connections to PostgreSQL.
    pub connections: u32,
    /// See [`SHORT_KEY_CAP`].
    pub short_key_cap: i64,
    /// Time limit of a statement on PostgreSQL.
    pub statement_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { connections: 10, short_key_cap: SHORT_KEY_CAP, statement_timeout: TIMEOUT }
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
        Some(("postgres" | "postgresql", _)) => open_postgres(url, options).await,
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
        // Rows cross from the database's thread in such groups. With fewer, both threads wait for each other.
        .row_buffer_size(1_000)
        .disable_statement_logging();
    let writer = connect_writer(&pool(writer).max_connections(1), &connect).await?;
    let mut transaction = begin(&writer).await?;
    MIGRATIONS.run(&mut *transaction).await?;
    transaction.commit().await?;
    let reads = pool(SqlitePoolOptions::new()).max_connections(4).connect_lazy_with(connect.pragma("query_only", "ON"));
    let grouped = Writes::Grouped(Writer::start(|jobs| grouped::run(writer, jobs)));
    let burnt = UsedShortKeys::new(options.short_key_cap);
    let reads = Connections::new(reads, Access::FILE, 0);
    let order = reads.clone();
    checked::<Sqlite>(SqlStore { reads, order, notifications: None, writes: grouped, burnt }).await
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

async fn open_postgres(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>> {
    let (connect, is_pooled) = server(url)?;
    let connect = connect.disable_statement_logging();
    let pool = |connections| {
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(TIMEOUT);
        pool.test_before_acquire(false).before_acquire(|connection, _| Box::pin(answers(connection)))
    };
    let reads = pool(options.connections).connect_with(connect.clone()).await?;
    let order = pool(ORDER).connect_with(connect.clone()).await?;
    let (mut first, mut second) = (reads.acquire().await?, order.acquire().await?);
    if !is_pooled && share_a_session(&mut first, &mut second).await? {
        return Err(StoreError::Pooler);
    }
    migrate(&mut first, is_pooled).await?;
    if !is_pooled {
        notifications::install(&mut first).await?;
    }
    drop((first, second));
    let notifications = (!is_pooled).then(|| Notifications::new(pool(1).connect_lazy_with(connect)));
    let access = Access { is_pooled, timeout: Some(options.statement_timeout) };
    let reads = Connections::new(reads, access, options.connections);
    let order = Connections::new(order, access, ORDER);
    let burnt = UsedShortKeys::new(options.short_key_cap);
    checked::<Postgres>(SqlStore { reads, order, notifications, writes: Writes::Each, burnt }).await
}

/// Tests a connection. One that does not answer is replaced.
async fn answers(connection: &mut PgConnection) -> std::result::Result<bool, Error> {
    Ok(matches!(tokio::time::timeout(TEST_TIMEOUT, connection.ping()).await, Ok(Ok(()))))
}

/// Tells by the sessions of two open connections whether a pooler lends them for single transactions. An idle pooler
/// always lends the last session again. A busy one may be missed.
async fn share_a_session(first: &mut PgConnection, second: &mut PgConnection) -> Result<bool> {
    let before = session(first).await?;
    Ok(session(second).await? == before || session(first).await? != before)
}

async fn session(connection: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::raw_sql(SESSION).fetch_one(connection).await?.try_get(0)?)
}

async fn checked<DB: Backend>(store: SqlStore<DB>) -> Result<Arc<dyn Store>> {
    store.check_statements().await?;
    store.adopt_names().await?;
    store.key_display_names().await?;
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
