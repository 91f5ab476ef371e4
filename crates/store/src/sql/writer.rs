//! The sending half of the single writer.

use super::backend::Backend;
use super::write::Write;
use super::write_task::{WriteJob, WriteTask};
use crate::{Error, Result};
use std::sync::{Mutex, PoisonError, RwLock};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Maximum number of waiting writes; further callers wait for space in the queue.
const QUEUE: usize = 1024;

pub(super) type WriteQueue<DB> = mpsc::Receiver<Box<dyn WriteJob<DB>>>;

pub(super) struct Writer<DB: Backend> {
    queue: RwLock<Option<mpsc::Sender<Box<dyn WriteJob<DB>>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<DB: Backend> Writer<DB> {
    /// Starts the task that `work` makes from the receiving half.
    pub(super) fn start<F: Future<Output = ()> + Send + 'static>(work: impl FnOnce(WriteQueue<DB>) -> F) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let task = tokio::spawn(work(jobs));
        Self { queue: RwLock::new(Some(queue)), task: Mutex::new(Some(task)) }
    }

    /// Queues a write. Once queued, it runs to completion, even if the caller stops waiting.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Output> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)?;
        let (task, answer) = WriteTask::new(write);
        queue.send(Box::new(task)).await.map_err(|_| Error::Closed)?;
        drop(queue);
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Refuses further writes and returns when the queued ones are done.
    pub(super) async fn stop(&self) {
        self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            drop(task.await);
        }
    }
}
