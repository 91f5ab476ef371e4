//! Notifications of PostgreSQL that something has changed. They only shorten the wait until the next query: the sequences
//! say what has changed, and in which order. A pooler in transaction mode does not pass notifications on.

use sqlx::postgres::PgListener;
use sqlx::{Connection, Error, PgConnection, PgPool};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

const CHANNEL: &str = "postern_changes";
/// Interval for testing the connection: a host that vanished sends as little as one without changes.
const TEST_EVERY: Duration = Duration::from_secs(30);
const TEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after a connection has failed.
const RETRY: Duration = Duration::from_secs(5);

const INSTALLED: &str =
    "SELECT 1 FROM pg_trigger WHERE tgname = 'postern_changes' AND tgrelid = CAST('sequences' AS regclass)";
/// The lock is for two nodes that start together: both would replace the same row of the catalogue.
const INSTALL: &str = "SELECT pg_advisory_xact_lock(7102846093416);
    CREATE OR REPLACE FUNCTION postern_changes() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('postern_changes', ''); RETURN NULL; END $$;
    CREATE OR REPLACE TRIGGER postern_changes AFTER INSERT OR UPDATE ON sequences
    FOR EACH STATEMENT EXECUTE FUNCTION postern_changes()";

/// Makes the database send a notification with each commit that takes a number of a sequence.
pub(super) async fn install(connection: &mut PgConnection) -> Result<(), Error> {
    if sqlx::raw_sql(INSTALLED).fetch_optional(&mut *connection).await?.is_some() {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(INSTALL).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// A connection that listens from the first [`Notifications::wait`] on.
pub(super) struct Notifications {
    pool: PgPool,
    arrived: Arc<Notify>,
    task: OnceLock<AbortHandle>,
}

impl Notifications {
    /// Creates one without connecting. `pool`: for one connection, which it keeps.
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, arrived: Arc::new(Notify::new()), task: OnceLock::new() }
    }

    /// Waits until something may have changed since the last call. Only one caller waits.
    pub(super) async fn wait(&self) {
        self.task.get_or_init(|| tokio::spawn(listen(self.pool.clone(), self.arrived.clone())).abort_handle());
        self.arrived.notified().await;
    }

    pub(super) fn end(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.end();
    }
}

async fn listen(pool: PgPool, arrived: Arc<Notify>) {
    loop {
        if let Err(error) = listen_once(&pool, &arrived).await {
            // Nodes follow each other without notifications too, and log if they cannot.
            tracing::debug!(%error, "notifications of changes are interrupted");
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Listens until the connection is lost.
async fn listen_once(pool: &PgPool, arrived: &Notify) -> Result<(), Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // Something may have changed while nobody listened.
    arrived.notify_one();
    loop {
        match timeout(TEST_EVERY, listener.try_recv()).await {
            Ok(received) => match received? {
                Some(_) => arrived.notify_one(),
                None => return Ok(()),
            },
            Err(_) => {
                let test = sqlx::query("SELECT 1").execute(&mut listener);
                timeout(TEST_TIMEOUT, test).await.map_err(|_| Error::PoolTimedOut)??;
            }
        }
    }
}
