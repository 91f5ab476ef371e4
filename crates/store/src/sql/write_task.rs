//! Writes in a queue.

use super::access::Access;
use super::actors;
use super::backend::Backend;
use super::write::Write;
use crate::{Error, Result};
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A type-erased write in a queue.
pub(super) trait WriteJob<DB: Backend>: Send {
    /// See [`Write::ONE_STATEMENT`].
    fn is_one_statement(&self) -> bool;
    /// Runs the write and stores its result; `false`: it failed and must be rolled back.
    fn run<'c>(&'c mut self, connection: &'c mut DB::Connection) -> BoxFuture<'c, bool>;
    /// Sends the result to the caller, if it still waits. Must not be called before the transaction has ended.
    fn answer(self: Box<Self>, transaction: std::result::Result<(), Arc<sqlx::Error>>);
}

pub(super) struct WriteTask<W: Write> {
    write: W,
    outcome: Option<Result<W::Output>>,
    caller: oneshot::Sender<Result<W::Output>>,
}

impl<W: Write> WriteTask<W> {
    pub(super) fn new(write: W) -> (Self, oneshot::Receiver<Result<W::Output>>) {
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
            let outcome = actors::run::<DB, W>(&self.write, connection, Access::FILE).await;
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
        // The write must be done even if the caller was dropped.
        drop(self.caller.send(answer));
    }
}
