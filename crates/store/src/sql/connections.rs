//! The connections to an engine, and how they come back from a statement without an answer.

use super::access::Access;
use super::backend::{Backend, Value};
use super::tx::{Record, Tx};
use crate::{Error, Result};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, Pool};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Time that a connection has for answering its open statement before another one may take its place. Most answer at
/// once, because their client went away and not the server.
const MOMENT: Duration = Duration::from_secs(1);

/// A pool of connections.
pub(super) struct Connections<DB: Backend> {
    pub(super) pool: Pool<DB>,
    pub(super) access: Access,
    /// Limits the connections outside of the pool that still wait for an answer. Without it, each retry while the
    /// server is silent would take another of the server's connections, until none is left.
    silent: Arc<Semaphore>,
}

impl<DB: Backend> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), access: self.access, silent: self.silent.clone() }
    }
}

impl<DB: Backend> Connections<DB> {
    /// Creates connections. `silent`: maximum number outside of the pool.
    pub(super) fn new(pool: Pool<DB>, access: Access, silent: u32) -> Self {
        let silent = Arc::new(Semaphore::new(usize::try_from(silent).unwrap_or(usize::MAX)));
        Self { pool, access, silent }
    }

    pub(super) async fn take(&self) -> Result<BorrowedConnection<DB>> {
        let connection = Some(self.pool.acquire().await?);
        Ok(BorrowedConnection { connection, silent: self.silent.clone(), is_idle: false })
    }

    /// Returns the same connections for statements that read whole tables and take as long as they need.
    pub(super) fn without_timeout(&self) -> Self {
        let access = Access { timeout: None, ..self.access };
        Self { access, ..self.clone() }
    }

    /// Waits for statements under way, and closes all connections. Does not wait for one that never answers.
    pub(super) async fn close(&self) {
        let closing = self.pool.close();
        match self.access.timeout {
            Some(limit) => drop(timeout(limit, closing).await),
            None => closing.await,
        }
    }

    /// Runs a statement that only reads.
    pub(super) async fn all(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Record<DB>>> {
        let mut lease = self.take().await?;
        let rows = read::<DB>(lease.connection()?, self.access, sql, values).await;
        lease.end(&rows);
        rows
    }
}

async fn read<DB: Backend>(
    connection: &mut DB::Connection,
    access: Access,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<Vec<Record<DB>>> {
    if !access.is_pooled {
        return Tx::<DB>::on(connection, access).all(sql, values).await;
    }
    // Keeps the session from preparing the statement to running it.
    let mut transaction = access.in_time(connection.begin()).await?;
    let rows = Tx::<DB>::on(&mut transaction, access).all(sql, values).await?;
    access.in_time(transaction.commit()).await?;
    Ok(rows)
}

/// A connection that returns to its pool only when it answers again.
///
/// sqlx waits without a limit for the answer to a statement that was given up, and for that to its test of a connection
/// that comes back. As many as the pool has would keep it empty until TCP gives up, which takes a quarter of an hour.
pub(super) struct BorrowedConnection<DB: Backend> {
    connection: Option<PoolConnection<DB>>,
    silent: Arc<Semaphore>,
    is_idle: bool,
}

impl<DB: Backend> BorrowedConnection<DB> {
    pub(super) fn connection(&mut self) -> Result<&mut DB::Connection> {
        self.connection.as_deref_mut().ok_or(Error::Closed)
    }

    /// Returns the connection. Without this call it was given up in the middle of a statement.
    pub(super) fn end<T>(mut self, answer: &Result<T>) {
        self.is_idle = !matches!(answer, Err(Error::NoAnswer));
    }
}

impl<DB: Backend> Drop for BorrowedConnection<DB> {
    fn drop(&mut self) {
        let (Some(mut connection), Ok(runtime)) = (self.connection.take(), Handle::try_current()) else { return };
        if self.is_idle {
            // sqlx tests a connection that comes back, and waits for the answer without a limit.
            runtime.spawn(timeout(MOMENT, connection.return_to_pool()));
        } else {
            runtime.spawn(come_back(connection, self.silent.clone()));
        }
    }
}

/// Waits until the connection answers or breaks, outside of the pool if that takes longer than [`MOMENT`].
async fn come_back<DB: Backend>(mut connection: PoolConnection<DB>, silent: Arc<Semaphore>) {
    if timeout(MOMENT, connection.ping()).await.is_ok() {
        drop(timeout(MOMENT, connection.return_to_pool()).await);
        return;
    }
    // Without a place, it keeps its own place in the pool.
    let Ok(_place) = silent.try_acquire_owned() else {
        drop(connection.ping().await);
        return;
    };
    let mut connection = connection.detach();
    drop(connection.ping().await);
}
