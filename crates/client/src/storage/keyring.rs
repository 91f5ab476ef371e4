//! The operating system's keyring: one item for each server and kind.

use super::{KeyringItem, StoredRecord};
use crate::{Error, Result, Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

const SERVICE: &str = "postern";
/// Time limit for a keyring. It may wait for its password, or for a bus that never answers.
const TIMEOUT: Duration = Duration::from_secs(5);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A store of items by service and account. Calls may block.
pub(super) trait KeyringBackend: std::fmt::Debug + Send + Sync {
    fn set(&self, service: &str, account: &str, secret: &[u8]) -> Result<(), Failure>;
    fn get(&self, service: &str, account: &str) -> Result<Option<Vec<u8>>, Failure>;
    /// Deletes an item. A missing item is not an error.
    fn delete(&self, service: &str, account: &str) -> Result<(), Failure>;
}

/// The operating system's items.
#[derive(Debug)]
struct SystemKeyring;

/// A keyring with a time limit.
#[derive(Debug, Clone)]
pub(super) struct Keyring {
    items: Arc<dyn KeyringBackend>,
    timeout: Duration,
    /// Whether it has timed out, so that it is not used again.
    silent: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
#[error("it does not answer within {} seconds; it may be waiting for its password", .0.as_secs())]
struct KeyringTimeout(Duration);

impl Default for Keyring {
    fn default() -> Self {
        Self::new(Arc::new(SystemKeyring), TIMEOUT)
    }
}

impl Keyring {
    pub(super) fn new(items: Arc<dyn KeyringBackend>, timeout: Duration) -> Self {
        Self { items, timeout, silent: Arc::default() }
    }

    pub(super) async fn set<T: StoredRecord>(&self, server: &Server, content: &T) -> Result<()> {
        let secret = Zeroizing::new(serde_json::to_vec(content).map_err(|error| Error::Keyring(error.into()))?);
        let KeyringItem { service, account } = item::<T>(server);
        self.run_detached(move |items| items.set(&service, &account, &secret)).await.map_err(about::<T>(server))
    }

    pub(super) async fn get<T: StoredRecord>(&self, server: &Server) -> Result<Option<T>> {
        let KeyringItem { service, account } = item::<T>(server);
        let found = self.run_detached(move |items| Ok(items.get(&service, &account)?.map(Zeroizing::new)));
        let Some(secret) = found.await.map_err(about::<T>(server))? else { return Ok(None) };
        // The error of serde quotes what it has read.
        serde_json::from_slice(&secret).map(Some).map_err(|_| Error::Keyring("its content is invalid".into()))
    }

    pub(super) async fn delete<T: StoredRecord>(&self, server: &Server) -> Result<()> {
        let KeyringItem { service, account } = item::<T>(server);
        self.run_detached(move |items| items.delete(&service, &account)).await
    }

    /// Whether a call timed out, so that its effect may still happen.
    pub(super) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// Runs a job on a thread that the program's end does not wait for.
    async fn run_detached<R: Send + 'static>(
        &self,
        job: impl FnOnce(&dyn KeyringBackend) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R> {
        let silent = || Error::Keyring(KeyringTimeout(self.timeout).into());
        if self.is_silent() {
            return Err(silent());
        }
        let (sender, receiver) = oneshot::channel();
        let items = Arc::clone(&self.items);
        let work = move || drop(sender.send(job(&*items)));
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(work)
            .map_err(|error| Error::Keyring(error.into()))?;
        match tokio::time::timeout(self.timeout, receiver).await {
            Ok(Ok(result)) => result.map_err(Error::Keyring),
            Ok(Err(panicked)) => Err(Error::Keyring(panicked.into())),
            Err(_) => {
                self.silent.store(true, Ordering::Relaxed);
                Err(silent())
            }
        }
    }
}

/// Names the record in an error of the keyring, because the ways out differ.
fn about<T: StoredRecord>(server: &Server) -> impl FnOnce(Error) -> Error {
    let origin = (!T::KIND.is_empty()).then(|| server.origin());
    move |error| match (error, origin) {
        (Error::Keyring(cause), Some(origin)) => Error::PaymentKeyring { origin, cause },
        (error, _) => error,
    }
}

/// Returns an item's names as shown by keyring programs.
pub(super) fn item<T: StoredRecord>(server: &Server) -> KeyringItem {
    let service = if T::KIND.is_empty() { SERVICE.to_owned() } else { format!("{SERVICE}-{}", T::KIND) };
    KeyringItem { service, account: server.origin() }
}

impl KeyringBackend for SystemKeyring {
    fn set(&self, service: &str, account: &str, secret: &[u8]) -> Result<(), Failure> {
        Ok(keyring::Entry::new(service, account)?.set_secret(secret)?)
    }

    fn get(&self, service: &str, account: &str) -> Result<Option<Vec<u8>>, Failure> {
        match keyring::Entry::new(service, account)?.get_secret() {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn delete(&self, service: &str, account: &str) -> Result<(), Failure> {
        match keyring::Entry::new(service, account)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
