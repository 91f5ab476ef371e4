//! One at a time by key: attempts of one identity wait for each other here, in this process.

use domain::identity::Identity;
use moka::sync::Cache;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// A bounded table of locks. Should one be evicted while it is held, the reservation in the store
/// still keeps attempts apart: this only spares them from polling it.
#[derive(Debug, Clone)]
pub struct Queue(Cache<Identity, Arc<Mutex<()>>>);

impl Default for Queue {
    fn default() -> Self {
        Self(Cache::new(10_000))
    }
}

impl Queue {
    pub async fn turn(&self, identity: Identity) -> OwnedMutexGuard<()> {
        self.0.get_with(identity, Arc::default).lock_owned().await
    }
}
