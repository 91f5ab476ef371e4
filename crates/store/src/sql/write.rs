//! A write: the content of one transaction, for every engine.

use super::actors;
use super::backend::Backend;
use super::tx::Tx;
use crate::audit::AuditEntry;
use crate::{Error, Result};
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Statements that take effect together or not at all. The first statement must write, so that a concurrent transaction
/// waits there and then sees the result of the first one. May be run again after a rollback, so it has no state of its
/// own.
pub trait Write: Send + Sync + 'static {
    type Output: Send + 'static;

    /// Whether it is a single statement, which is atomic without a savepoint.
    const ONE_STATEMENT: bool = false;

    /// Returns the row that it appends to the audit log. The row of a write that administrators can make must be
    /// returned here: its actor is checked before the write runs, and a row with an unchecked actor is refused.
    fn audit(&self) -> Option<&AuditEntry> {
        None
    }

    fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// A type-erased write in a queue.
pub trait WriteJob<DB: Backend>: Send {
    /// See [`Write::ONE_STATEMENT`].
    fn is_one_statement(&self) -> bool;
    /// Runs the write and stores its result; `false`: it failed and must be rolled back.
    fn run<'c>(&'c mut self, connection: &'c mut DB::Connection) -> BoxFuture<'c, bool>;
    /// Sends the result to the caller, if it still waits. Must not be called before the transaction has ended.
    fn answer(self: Box<Self>, transaction: std::result::Result<(), Arc<sqlx::Error>>);
}

pub struct WriteTask<W: Write> {
    write: W,
    outcome: Option<Result<W::Output>>,
    caller: oneshot::Sender<Result<W::Output>>,
}

impl<W: Write> WriteTask<W> {
    pub fn new(write: W) -> (Self, oneshot::Receiver<Result<W::Output>>) {
        let (caller, answer) = oneshot::channel();
        (Self { write, outcome: None, caller }, answer)
    }
}

impl<DB: Backend, W: Write> WriteJob<DB> for WriteTask<W> {
    fn is_one_statement(&self) -> bool {
        W::ONE_STATEMENT
    }

    fn run<'c>(&'c mut self, connection: &'c mut DB::Connection) -> BoxFuture<'c, bool> {
        async move {
            let outcome = actors::run::<DB, W>(&self.write, connection).await;
            self.outcome.insert(outcome).is_ok()
        }
        .boxed()
    }

    fn answer(self: Box<Self>, transaction: std::result::Result<(), Arc<sqlx::Error>>) {
        let answer = match (transaction, self.outcome) {
            (_, Some(Err(own))) => Err(own),
            (Ok(()), Some(outcome)) => outcome,
            (Err(error), _) => Err(Error::Commit(error)),
            (Ok(()), None) => Err(Error::Closed),
        };
        // The write must be done even if the caller has gone.
        drop(self.caller.send(answer));
    }
}
