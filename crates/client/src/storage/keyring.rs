//! The operating system's keyring: one entry for each server.

use crate::{Error, Profile, Result, Server};
use keyring::Entry;
use zeroize::Zeroizing;

const SERVICE: &str = "postern";

pub async fn set(server: &Server, profile: &Profile) -> Result<()> {
    let secret = Zeroizing::new(serde_json::to_vec(profile).map_err(|error| Error::Keyring(error.into()))?);
    apart(server, move |entry| entry.set_secret(&secret)).await
}

pub async fn get(server: &Server) -> Result<Option<Profile>> {
    let found = apart(server, |entry| match entry.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    });
    let Some(secret) = found.await? else { return Ok(None) };
    serde_json::from_slice(&secret).map(Some).map_err(|error| Error::Keyring(error.into()))
}

pub async fn delete(server: &Server) -> Result<()> {
    apart(server, |entry| match entry.delete_credential() {
        Err(keyring::Error::NoEntry) => Ok(()),
        result => result,
    })
    .await
}

/// On a thread of its own: a keyring may ask its owner for a password first, and some bring a runtime.
async fn apart<T: Send + 'static>(
    server: &Server,
    job: impl FnOnce(Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T> {
    let origin = server.origin();
    let done = tokio::task::spawn_blocking(move || Entry::new(SERVICE, &origin).and_then(job)).await;
    match done {
        Ok(result) => result.map_err(|error| Error::Keyring(error.into())),
        Err(panicked) => Err(Error::Keyring(panicked.into())),
    }
}
