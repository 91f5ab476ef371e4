//! The operating system's keyring: one entry for each server and kind.

use super::Keepsake;
use crate::{Error, Result, Server};
use keyring::Entry;
use zeroize::Zeroizing;

const SERVICE: &str = "postern";

pub async fn set<T: Keepsake>(server: &Server, content: &T) -> Result<()> {
    let secret = Zeroizing::new(serde_json::to_vec(content).map_err(|error| Error::Keyring(error.into()))?);
    apart::<T, ()>(server, move |entry| entry.set_secret(&secret)).await
}

pub async fn get<T: Keepsake>(server: &Server) -> Result<Option<T>> {
    let found = apart::<T, _>(server, |entry| match entry.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    });
    let Some(secret) = found.await? else { return Ok(None) };
    serde_json::from_slice(&secret).map(Some).map_err(|error| Error::Keyring(error.into()))
}

pub async fn delete<T: Keepsake>(server: &Server) -> Result<()> {
    apart::<T, ()>(server, |entry| match entry.delete_credential() {
        Err(keyring::Error::NoEntry) => Ok(()),
        result => result,
    })
    .await
}

/// On a thread of its own: a keyring may ask its owner for a password first, and some bring a runtime.
async fn apart<T: Keepsake, R: Send + 'static>(
    server: &Server,
    job: impl FnOnce(Entry) -> keyring::Result<R> + Send + 'static,
) -> Result<R> {
    let origin = server.origin();
    let service = if T::SHELF.is_empty() { SERVICE.to_owned() } else { format!("{SERVICE}-{}", T::SHELF) };
    let done = tokio::task::spawn_blocking(move || Entry::new(&service, &origin).and_then(job)).await;
    match done {
        Ok(result) => result.map_err(|error| Error::Keyring(error.into())),
        Err(panicked) => Err(Error::Keyring(panicked.into())),
    }
}
