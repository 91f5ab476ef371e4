//! SQLite: one writer, which puts all writes that wait into one transaction.
//!
//! A commit costs one write to the disk, whatever the number of writes in it, and nobody is
//! answered before it. A write that fails is rolled back alone, to its savepoint.

use super::write::Job;
use super::writer::Jobs;
use futures::FutureExt;
use sqlx::pool::PoolConnection;
use sqlx::{Error, Sqlite, SqlitePool};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// The most writes of one transaction: a crowd must not keep the first of it waiting for long.
const GROUP: usize = 128;

/// Works until every sender is gone and the queue is empty.
pub async fn run(pool: SqlitePool, mut queue: Jobs<Sqlite>) {
    let mut connection = None;
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let outcome = transaction(&pool, &mut connection, &mut group).await.map_err(Arc::new);
        if let Err(error) = &outcome {
            tracing::error!(%error, writes = group.len(), "a group of writes was rolled back");
            // Closing rolls back whatever state the failure has left.
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
    group: &mut [Box<dyn Job<Sqlite>>],
) -> Result<(), Error> {
    let connection = match slot {
        Some(open) => open,
        None => slot.insert(pool.acquire().await?),
    };
    // IMMEDIATE waits for another process here, where waiting is harmless, and not in the middle.
    control(connection, "BEGIN IMMEDIATE; SAVEPOINT job").await?;
    let last = group.len().saturating_sub(1);
    for (place, job) in group.iter_mut().enumerate() {
        let kept = AssertUnwindSafe(job.run(connection)).catch_unwind().await.map_err(|_| Error::WorkerCrashed)?;
        match (kept, place == last) {
            (false, _) => control(connection, "ROLLBACK TO job").await?,
            (true, false) => control(connection, "RELEASE job; SAVEPOINT job").await?,
            (true, true) => {}
        }
    }
    control(connection, "COMMIT").await
}

async fn control(connection: &mut PoolConnection<Sqlite>, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop)
}
