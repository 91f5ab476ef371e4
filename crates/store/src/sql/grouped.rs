//! SQLite: one writer, which puts all writes that wait into one transaction.
//!
//! A commit costs one write to the disk, whatever the number of writes in it, and nobody is
//! answered before it. A write that fails is rolled back alone, to its savepoint; one statement undoes itself and
//! needs none, which is half of what a refresh asks of the database.

use super::patience::Patience;
use super::write::Job;
use super::writer::Jobs;
use futures::FutureExt;
use sqlx::pool::PoolConnection;
use sqlx::{Error, Sqlite, SqlitePool};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// The most writes of one transaction: a crowd must not keep the first of it waiting for long.
const GROUP: usize = 128;
/// What was written is kept whatever comes.
const ANEW: &str = "RELEASE job; SAVEPOINT job";

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
    // IMMEDIATE meets another process here, where waiting is harmless, and not in the middle.
    begin(connection).await?;
    // Whether something was written since the savepoint that a rollback must leave.
    let mut written = false;
    for job in group {
        let alone = job.is_one_statement();
        if written && !alone {
            control(connection, ANEW).await?;
            written = false;
        }
        let kept = AssertUnwindSafe(job.run(connection)).catch_unwind().await.map_err(|_| Error::WorkerCrashed)?;
        match (kept, alone) {
            (true, _) => written = true,
            (false, false) => control(connection, "ROLLBACK TO job").await?,
            // A full disk ends the whole transaction, and the savepoint with it: then this fails too.
            (false, true) => {
                control(connection, ANEW).await?;
                written = false;
            }
        }
    }
    control(connection, "COMMIT").await
}

async fn begin(connection: &mut PoolConnection<Sqlite>) -> Result<(), Error> {
    let patience = Patience::new();
    loop {
        let outcome = control(connection, "BEGIN IMMEDIATE; SAVEPOINT job").await;
        if !patience.asks_again(&outcome).await {
            return outcome;
        }
    }
}

async fn control(connection: &mut PoolConnection<Sqlite>, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop)
}
