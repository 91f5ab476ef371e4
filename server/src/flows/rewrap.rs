//! Encrypts everything under a new key-encryption key, while servers run.
//!
//! The process may be killed after any step; running it again continues from there:
//!
//! 1. The new key is written after the old one, so that every process can decrypt values under either.
//! 2. The old one is retired in the database, which refuses new values under it (see `store::sealed`).
//! 3. Each value is encrypted again, by a write that is conditional on the value that was read.
//! 4. When no value in the database needs the old key, its line is removed.

use super::actor::Actor;
use crate::key_encryption::{self, Cipher, KeySource};
use store::audit::AuditEvent;
use store::sealed::{SealedValue, sealer};
use zeroize::Zeroizing;

/// Number of values read at a time.
const CHUNK: u32 = 200;

/// The reason why it stopped.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    #[error(transparent)]
    Key(#[from] key_encryption::KeyEncryptionError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(
        "the key is in {}: put a new one behind it, after a comma (openssl rand 32 | basenc --base64url | tr -d =), \
         restart every server, and run this again",
        key_encryption::VARIABLE
    )]
    OneInVariable,
    #[error("more than one key exists already: run 'postern key rewrap'")]
    Prepared,
    #[error(
        "{place} is under the key '{sealer}', which is not here: put that key into the first line, and run this \
         again. Nothing is lost"
    )]
    Unknown { place: String, sealer: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrapResult {
    /// The short name of the remaining key.
    pub sealer: String,
    pub resealed: u64,
}

/// Does the first step only.
///
/// # Errors
/// A second key exists already, or the file cannot be written.
pub fn prepare(actor: &Actor<'_>) -> Result<(), RewrapError> {
    let source = KeySource::of(actor.config);
    let _lock = source.lock()?;
    let keys = source.keys()?;
    if keys.len() > 1 { Err(RewrapError::Prepared) } else { add(actor, &source, keys).map(drop) }
}

/// Encrypts everything under a new key. It can be run again after an error.
///
/// # Errors
/// The cause.
pub async fn rewrap(actor: &Actor<'_>) -> Result<RewrapResult, RewrapError> {
    let source = KeySource::of(actor.config);
    let _lock = source.lock()?;
    let mut keys = source.keys()?;
    if keys.len() == 1 {
        keys = add(actor, &source, keys)?;
    }
    let (new, old) = split(&keys)?;

    let names: Vec<_> = old.iter().map(|cipher| cipher.name().to_owned()).collect();
    let audit = actor.entry(AuditEvent::KeysRewrapped, new.name());
    actor.store.retire_sealers(&names, &audit, actor.now).await?;

    let mut resealed = 0;
    loop {
        let values = actor.store.sealed_by_others(new.name(), CHUNK).await?;
        if values.is_empty() {
            break;
        }
        for value in values {
            let secret = open(&old, &value)?;
            let sealed = format!("{}.{}", new.name(), new.seal(actor.entropy, &value.place, &secret)?);
            resealed += u64::from(actor.store.reseal(&value, &sealed).await?);
        }
    }
    if source != KeySource::Variable {
        source.write(&keys.split_off(keys.len() - 1))?;
    }
    Ok(RewrapResult { sealer: new.name().to_owned(), resealed })
}

fn add(
    actor: &Actor<'_>,
    source: &KeySource,
    mut keys: Vec<Zeroizing<String>>,
) -> Result<Vec<Zeroizing<String>>, RewrapError> {
    if *source == KeySource::Variable {
        return Err(RewrapError::OneInVariable);
    }
    keys.push(Zeroizing::new(actor.entropy.secret()));
    source.write(&keys)?;
    Ok(keys)
}

/// Returns the last key and those before it.
fn split(keys: &[Zeroizing<String>]) -> Result<(Cipher, Vec<Cipher>), RewrapError> {
    let mut ciphers: Vec<_> = keys.iter().filter_map(|key| Cipher::parse(key)).collect();
    let new = ciphers.pop().ok_or(key_encryption::KeyEncryptionError::WrongKey)?;
    ciphers.retain(|cipher| cipher.name() != new.name());
    Ok((new, ciphers))
}

fn open(old: &[Cipher], value: &SealedValue) -> Result<Zeroizing<Vec<u8>>, RewrapError> {
    let name = sealer(&value.sealed);
    let content = value.sealed.split_once('.').map_or(value.sealed.as_str(), |(_, content)| content);
    let mut fitting = old.iter().filter(|cipher| name.is_empty() || cipher.name() == name);
    fitting
        .find_map(|cipher| cipher.open(&value.place, content).ok())
        .ok_or_else(|| RewrapError::Unknown { place: value.place.clone(), sealer: name.to_owned() })
}
