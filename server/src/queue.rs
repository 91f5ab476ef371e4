//! Locks for sign-in attempts: one at a time for each client key, and fair shares for addresses and accounts.

use crate::guards::client::Client;
use domain::identity::Identity;
use moka::sync::Cache;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Bounded tables of locks. If a held lock is evicted, the reservation in the store still serialises attempts. The
/// locks only avoid polling it.
#[derive(Debug, Clone)]
pub struct Queue {
    turns: Cache<Identity, Arc<Mutex<()>>>,
    shares: Cache<Identity, Arc<Semaphore>>,
    /// Maximum number of attempts from one address at the same time.
    at_once: usize,
}

/// A held lock. Others wait until it is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "held for their drop")]
pub struct Turn {
    identity: OwnedMutexGuard<()>,
    account: Option<OwnedMutexGuard<()>>,
    address: Option<OwnedSemaphorePermit>,
}

impl Queue {
    /// `at_once`: how many attempts of known devices at one address are judged at the same time, at least 1.
    pub fn new(at_once: usize) -> Self {
        Self { turns: Cache::new(10_000), shares: Cache::new(10_000), at_once: at_once.max(1) }
    }

    /// Waits for a client key's lock.
    pub async fn turn(&self, identity: Identity) -> OwnedMutexGuard<()> {
        self.turns.get_with(identity, Arc::default).lock_owned().await
    }

    /// Waits for a client's locks, in order of arrival. Strangers at one address share one lock. Known devices lock
    /// their account, then a place among the known devices at their address, then themselves. The order must be the
    /// same everywhere, otherwise two attempts could deadlock.
    pub async fn fair_turn(&self, client: &Client) -> Turn {
        let judged = client.judged();
        let Some(known) = &client.known else {
            return Turn { identity: self.turn(judged).await, account: None, address: None };
        };
        let share = known.share();
        let account = if share == judged { None } else { Some(self.turn(share).await) };
        let places = || Arc::new(Semaphore::new(self.at_once));
        // The semaphore is never closed.
        let address = self.shares.get_with(client.identity, places).acquire_owned().await.ok();
        Turn { identity: self.turn(judged).await, account, address }
    }

    /// Removes unused locks.
    pub fn sweep(&self) {
        self.turns.run_pending_tasks();
        self.shares.run_pending_tasks();
    }
}
