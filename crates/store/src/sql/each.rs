//! PostgreSQL: each write has its own transaction, because one failed statement aborts a whole one.

use super::access::Access;
use super::actors;
use super::backend::Backend;
use super::connections::Connections;
use super::write::Write;
use crate::{Error, Result};
use sqlx::Connection;
use std::time::Duration;

const TRIES: u32 = 6;

/// Runs a write to completion, even if the caller stops waiting.
pub(super) async fn write<DB: Backend, W: Write>(connections: Connections<DB>, write: W) -> Result<W::Output> {
    tokio::spawn(async move { retried(&connections, &write).await }).await.unwrap_or(Err(Error::Closed))
}

async fn retried<DB: Backend, W: Write>(connections: &Connections<DB>, write: &W) -> Result<W::Output> {
    for number in 1..TRIES {
        match attempt(connections, write).await {
            Err(Error::Database(error)) if is_passing(&error) => {
                tracing::debug!(%error, attempt = number, "retrying a transaction");
                tokio::time::sleep(Duration::from_millis(4 << number)).await;
            }
            done => return done,
        }
    }
    attempt(connections, write).await
}

async fn attempt<DB: Backend, W: Write>(connections: &Connections<DB>, write: &W) -> Result<W::Output> {
    let mut lease = connections.take().await?;
    let output = transaction::<DB, W>(lease.connection()?, connections.access, write).await;
    lease.end(&output);
    output
}

async fn transaction<DB: Backend, W: Write>(
    connection: &mut DB::Connection,
    access: Access,
    write: &W,
) -> Result<W::Output> {
    // Set explicitly and not by the server's default: a statement after a lock must see what the lock's previous holder
    // committed.
    let begin = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED");
    let mut transaction = access.in_time(begin).await?;
    let output = actors::run::<DB, W>(write, &mut transaction, access).await?;
    access.in_time(transaction.commit()).await?;
    Ok(output)
}

/// Whether this is a serialization failure or a deadlock, which the engine has rolled back for a retry.
fn is_passing(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}
