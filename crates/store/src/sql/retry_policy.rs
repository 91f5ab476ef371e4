//! Waiting for a database that is busy.

use sqlx::Error;
use sqlx::error::DatabaseError;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Time limit for a connection, for an answer of PostgreSQL, and for a writer's lock on the SQLite file.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two attempts at a busy file.
const PAUSE: Duration = Duration::from_millis(2);

/// Retries while another process holds the SQLite file.
///
/// SQLite's own `busy_timeout` retries ten times a second. A process that commits one transaction after the other frees
/// the file for microseconds at a time, so a second process that retries this seldom may find it taken each time. A
/// change to WAL mode does not wait at all.
pub(super) struct RetryPolicy(Instant);

impl RetryPolicy {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }

    /// Returns `true`, after a pause, if `outcome` says that the file is busy and [`TIMEOUT`] has not passed.
    pub(super) async fn asks_again<T>(&self, outcome: &Result<T, Error>) -> bool {
        let busy = matches!(outcome, Err(Error::Database(error)) if is_busy(&**error));
        let again = busy && self.0.elapsed() < TIMEOUT;
        if again {
            sleep(PAUSE).await;
        }
        again
    }
}

/// Tests for `SQLITE_BUSY` and its extended codes.
fn is_busy(error: &dyn DatabaseError) -> bool {
    error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}
