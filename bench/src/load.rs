//! Many clients at once, all on one thread: the cores belong to the server.

use anyhow::{Context, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Builds the runtime of the clients.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Processes `items`, `at_once` at a time. The order of the results is not defined.
pub(crate) async fn concurrent_tasks<T, U, F>(
    at_once: usize,
    items: Vec<T>,
    work: impl Fn(T) -> F + Clone + Send + 'static,
) -> Result<Vec<U>>
where
    T: Send + 'static,
    U: Send + 'static,
    F: Future<Output = Result<U>> + Send,
{
    let waiting = Arc::new(Mutex::new(VecDeque::from(items)));
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        let (waiting, work) = (Arc::clone(&waiting), work.clone());
        workers.spawn(async move {
            let mut results = Vec::new();
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(item) = next else { return anyhow::Ok(results) };
                results.push(work(item).await?);
            }
        });
    }
    let mut all = Vec::new();
    while let Some(done) = workers.join_next().await {
        all.extend(done.context("a client broke")??);
    }
    Ok(all)
}
