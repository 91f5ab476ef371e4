//! The keys that a process holds, read again when there is news.

use super::{Cipher, Error, Source};
use crate::config::Config;
use crate::entropy::Entropy;
use parking_lot::RwLock;
use std::sync::Arc;
use store::Store;
use zeroize::Zeroizing;

/// Encrypts private keys before they reach the store.
pub struct KeyEncryptionKey {
    /// `None`: it is not written anywhere.
    source: Option<Source>,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    ciphers: Vec<Arc<Cipher>>,
    /// Names of those that only open.
    retired: Vec<String>,
}

impl KeyEncryptionKey {
    /// From the environment, else from the file, which is made if it is not there.
    ///
    /// # Errors
    /// The file can't be read or made, is open to others, or has something else in it.
    pub fn load(config: &Config, entropy: &dyn Entropy) -> Result<Self, Error> {
        Source::of(config).make_if_missing(entropy)?;
        Self::find(config)
    }

    /// As [`Self::load`], but makes nothing.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn find(config: &Config) -> Result<Self, Error> {
        let source = Source::of(config);
        let key = Self { source: Some(source), held: RwLock::default() };
        key.read_again()?;
        Ok(key)
    }

    /// One key that is not written anywhere. `None` unless `bytes` are 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let ciphers = vec![Arc::new(Cipher::new(bytes)?)];
        Some(Self { source: None, held: RwLock::new(Held { ciphers, retired: Vec::new() }) })
    }

    /// Hears which keys seal no more.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn hear(&self, store: &dyn Store) -> store::Result<()> {
        let retired = store.retired_sealers().await?;
        self.held.write().retired = retired;
        Ok(())
    }

    /// Encrypts; `place` names the row and must be the same for [`Self::open`].
    ///
    /// # Errors
    /// Every key that is known here was replaced.
    pub fn seal(&self, entropy: &dyn Entropy, place: &str, secret: &[u8]) -> Result<String, Error> {
        let sealer = match self.sealer() {
            Some(sealer) => sealer,
            None => {
                self.read_again()?;
                self.sealer().ok_or(Error::Retired)?
            }
        };
        Ok(format!("{}.{}", sealer.name(), sealer.seal(entropy, place, secret)?))
    }

    /// # Errors
    /// [`Error::WrongKey`]: another key, another place, or not what was written.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Some((name, content)) = sealed.split_once('.') else {
            // From before keys had names: whichever opens it.
            let all = self.held.read().ciphers.clone();
            return all.iter().find_map(|cipher| cipher.open(place, sealed).ok()).ok_or(Error::WrongKey);
        };
        if let Some(cipher) = self.named(name) {
            return cipher.open(place, content);
        }
        // Another process may have put a new key into the file since it was read.
        self.read_again()?;
        self.named(name).ok_or(Error::WrongKey)?.open(place, content)
    }

    /// How many keys there are: more than one while one is being replaced.
    pub fn count(&self) -> usize {
        self.held.read().ciphers.len()
    }

    /// The name of the key that seals now.
    pub fn sealer_name(&self) -> Option<String> {
        self.sealer().map(|cipher| cipher.name().to_owned())
    }

    fn sealer(&self) -> Option<Arc<Cipher>> {
        let held = self.held.read();
        held.ciphers.iter().find(|cipher| !held.retired.iter().any(|name| name == cipher.name())).cloned()
    }

    fn named(&self, name: &str) -> Option<Arc<Cipher>> {
        self.held.read().ciphers.iter().find(|cipher| cipher.name() == name).cloned()
    }

    fn read_again(&self) -> Result<(), Error> {
        let Some(source) = &self.source else { return Ok(()) };
        let ciphers = source.keys()?.iter().filter_map(|key| Cipher::parse(key)).map(Arc::new).collect();
        self.held.write().ciphers = ciphers;
        Ok(())
    }
}

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyEncryptionKey(..)")
    }
}
