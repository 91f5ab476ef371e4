//! Locks for sign-in attempts: one at a time for each client key, and fair shares for addresses and accounts.

use crate::bounded;
use domain::client_key::ClientKey;
use domain::known_device::KnownDevice;
use quick_cache::sync::Cache;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Bounded tables of locks. If a held lock is evicted, the reservation in the store still serialises attempts. The
/// locks only avoid polling it.
#[derive(Debug)]
pub struct KeyedMutex {
    mutexes: Cache<ClientKey, Arc<Mutex<()>>>,
    shares: Cache<ClientKey, Arc<Semaphore>>,
    /// Maximum number of attempts from one address at the same time.
    at_once: usize,
}

/// A held lock. Others wait until it is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "held for their drop")]
pub struct KeyedGuard {
    client_key: OwnedMutexGuard<()>,
    account: Option<OwnedMutexGuard<()>>,
    address: Option<OwnedSemaphorePermit>,
}

impl KeyedMutex {
    /// Creates empty tables. `at_once`: the number of attempts of known devices at one address that run at the same
    /// time, at least 1.
    pub fn new(at_once: usize) -> Self {
        Self { mutexes: Cache::new(10_000), shares: Cache::new(10_000), at_once: at_once.max(1) }
    }

    /// Waits for a client key's lock.
    pub async fn lock(&self, client_key: ClientKey) -> OwnedMutexGuard<()> {
        bounded::entry(&self.mutexes, &client_key, Arc::default).lock_owned().await
    }

    /// Waits for the locks of the client that counts by `ban_key` at `address`, in order of arrival. Strangers at one
    /// address share one lock. Known devices lock their account, then one of the slots for known devices at their
    /// address, then themselves. The order must be the same everywhere, otherwise two attempts could deadlock.
    pub async fn lock_fair(&self, ban_key: ClientKey, known: Option<&KnownDevice>, address: ClientKey) -> KeyedGuard {
        let Some(known) = known else {
            return KeyedGuard { client_key: self.lock(ban_key).await, account: None, address: None };
        };
        let share = known.share();
        let account = if share == ban_key { None } else { Some(self.lock(share).await) };
        let slots = || Arc::new(Semaphore::new(self.at_once));
        // The semaphore is never closed.
        let address = bounded::entry(&self.shares, &address, slots).acquire_owned().await.ok();
        KeyedGuard { client_key: self.lock(ban_key).await, account, address }
    }

    /// Removes unused locks.
    pub fn sweep(&self) {
        self.mutexes.retain(|_, mutex| Arc::strong_count(mutex) > 1);
        self.shares.retain(|_, share| Arc::strong_count(share) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    #[tokio::test]
    async fn a_flood_from_many_networks_does_not_grow_the_table() {
        let locks = KeyedMutex::new(1);
        for network in 0..15_000_u128 {
            let client_key = ClientKey::V6(Ipv6Addr::from_bits(network << 64), 64);
            drop(locks.lock_fair(client_key, None, client_key).await);
        }
        // Each part of the table rounds its size up.
        let held = locks.mutexes.len();
        assert!((1..=11_000).contains(&held), "{held}");
        assert_eq!(locks.shares.len(), 0, "strangers have none");
        locks.sweep();
        assert_eq!(locks.mutexes.len(), 0, "nobody holds one");
    }
}
