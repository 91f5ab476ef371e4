//! SQLite: one writer, which puts all waiting writes into one transaction.
//!
//! A commit costs one disk write for any number of writes, and no caller is answered before it. A failed write is
//! rolled back alone, to its savepoint. A single statement is atomic and needs no savepoint, which saves half of the
//! statements of a refresh.

use super::retry_policy::RetryPolicy;
use super::write_task::WriteJob;
use super::writer::WriteQueue;
use futures::FutureExt;
use sqlx::pool::PoolConnection;
use sqlx::{Error, Sqlite, SqlitePool};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Maximum number of writes in a transaction, so that the first one does not wait long.
const GROUP: usize = 128;
/// Keeps what was written so far and starts a new savepoint.
const NEXT_SAVEPOINT: &str = "RELEASE job; SAVEPOINT job";

/// Runs until all senders are dropped and the queue is empty.
pub(super) async fn run(pool: SqlitePool, mut queue: WriteQueue<Sqlite>) {
    let mut connection = None;
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let outcome = transaction(&pool, &mut connection, &mut group).await.map_err(Arc::new);
        if let Err(error) = &outcome {
            tracing::error!(%error, writes = group.len(), "a group of writes was rolled back");
            // Closing the connection rolls back, whatever state the failure has left.
            if let Some(broken) = connection.take() {
                drop(PoolConnection::close(broken).await);
            }
        }
        for job in group.drain(..) {
            job.answer(outcome.clone());
        }
    }
    drop(connection);
    pool.close().await;
}

async fn transaction(
    pool: &SqlitePool,
    slot: &mut Option<PoolConnection<Sqlite>>,
    group: &mut [Box<dyn WriteJob<Sqlite>>],
) -> Result<(), Error> {
    let connection = match slot {
        Some(open) => open,
        None => slot.insert(pool.acquire().await?),
    };
    // IMMEDIATE takes the write lock here, where waiting for another process is harmless, and not in the middle.
    begin(connection).await?;
    // Whether something was written after the savepoint, so that a rollback needs a new one.
    let mut written = false;
    for job in group {
        let alone = job.is_one_statement();
        if written && !alone {
            control(connection, NEXT_SAVEPOINT).await?;
            written = false;
        }
        let kept = AssertUnwindSafe(job.run(connection)).catch_unwind().await.map_err(|_| Error::WorkerCrashed)?;
        match (kept, alone) {
            (true, _) => written = true,
            (false, false) => control(connection, "ROLLBACK TO job").await?,
            // A full disk aborts the whole transaction with the savepoint. Then this fails too.
            (false, true) => {
                control(connection, NEXT_SAVEPOINT).await?;
                written = false;
            }
        }
    }
    control(connection, "COMMIT").await
}

async fn begin(connection: &mut PoolConnection<Sqlite>) -> Result<(), Error> {
    let retry = RetryPolicy::new();
    loop {
        let outcome = control(connection, "BEGIN IMMEDIATE; SAVEPOINT job").await;
        if !retry.asks_again(&outcome).await {
            return outcome;
        }
    }
}

async fn control(connection: &mut PoolConnection<Sqlite>, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop)
}
