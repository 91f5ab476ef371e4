//! Whose turn it is: attempts of one identity one at a time, and a fair share for each address and account.

use crate::guards::client::Client;
use domain::identity::Identity;
use moka::sync::Cache;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Bounded tables of locks. Should one be evicted while it is held, the reservation in the store
/// still keeps attempts apart: this only spares them from polling it.
#[derive(Debug, Clone)]
pub struct Queue {
    turns: Cache<Identity, Arc<Mutex<()>>>,
    shares: Cache<Identity, Arc<Semaphore>>,
    /// Attempts of one address that are judged at the same time.
    at_once: usize,
}

/// A turn: until it is dropped, nobody else has it.
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

    /// Waits for the turn of one identity.
    pub async fn turn(&self, identity: Identity) -> OwnedMutexGuard<()> {
        self.turns.get_with(identity, Arc::default).lock_owned().await
    }

    /// Waits for a client's turn, in the order of arrival. Strangers of one address have one turn between them. Known
    /// devices wait for their account, then for a place among the known devices of their address, then for themselves.
    /// Always in this order, or two that wait for each other would wait forever.
    pub async fn fair_turn(&self, client: &Client) -> Turn {
        let judged = client.judged();
        let Some(known) = &client.known else {
            return Turn { identity: self.turn(judged).await, account: None, address: None };
        };
        let share = known.share();
        let account = if share == judged { None } else { Some(self.turn(share).await) };
        let places = || Arc::new(Semaphore::new(self.at_once));
        // Nobody closes it.
        let address = self.shares.get_with(client.identity, places).acquire_owned().await.ok();
        Turn { identity: self.turn(judged).await, account, address }
    }

    /// Forgets identities that are gone.
    pub fn sweep(&self) {
        self.turns.run_pending_tasks();
        self.shares.run_pending_tasks();
    }
}
