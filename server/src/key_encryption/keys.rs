//! The keys of a process, read again when they change.

use super::{Cipher, KeyEncryptionError, KeySource};
use crate::config::Config;
use crate::entropy::Entropy;
use parking_lot::RwLock;
use std::sync::Arc;
use store::Store;
use zeroize::Zeroizing;

/// Encrypts private keys before they are stored.
pub struct KeyEncryptionKey {
    /// `None`: it is not stored anywhere.
    source: Option<KeySource>,
    held: RwLock<LoadedKeys>,
}

#[derive(Default)]
struct LoadedKeys {
    ciphers: Vec<Arc<Cipher>>,
    /// Names of the keys that only decrypt.
    retired: Vec<String>,
}

impl KeyEncryptionKey {
    /// Loads the key from the environment, or else from the file, which is created for a new database.
    ///
    /// # Errors
    /// [`KeyEncryptionError::Missing`]: the database is not new, and the file is not there. The file can't be read or
    /// created, others can read it, its content is invalid, or the store fails.
    pub async fn load(config: &Config, store: &dyn Store, entropy: &dyn Entropy) -> Result<Self, KeyEncryptionError> {
        KeySource::of(config).make_if_missing(store, entropy).await?;
        let key = Self::find(config)?;
        key.reload(store).await?;
        Ok(key)
    }

    /// Like [`Self::load`], but creates nothing.
    ///
    /// # Errors
    /// The file can't be read, others can read it, or its content is invalid.
    pub fn find(config: &Config) -> Result<Self, KeyEncryptionError> {
        let source = KeySource::of(config);
        let key = Self { source: Some(source), held: RwLock::default() };
        key.read_again()?;
        Ok(key)
    }

    /// Uses a key that is not stored anywhere. `None` unless `bytes` are 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let ciphers = vec![Arc::new(Cipher::new(bytes)?)];
        Some(Self { source: None, held: RwLock::new(LoadedKeys { ciphers, retired: Vec::new() }) })
    }

    /// Reads which keys are retired.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reload(&self, store: &dyn Store) -> store::Result<()> {
        let retired = store.retired_sealers().await?;
        self.held.write().retired = retired;
        Ok(())
    }

    /// Encrypts a secret. `place` names the row and must be the same for [`Self::open`].
    ///
    /// # Errors
    /// All keys known here are retired.
    pub fn seal(&self, entropy: &dyn Entropy, place: &str, secret: &[u8]) -> Result<String, KeyEncryptionError> {
        let sealer = match self.sealer() {
            Some(sealer) => sealer,
            None => {
                self.read_again()?;
                self.sealer().ok_or(KeyEncryptionError::Retired)?
            }
        };
        Ok(format!("{}.{}", sealer.name(), sealer.seal(entropy, place, secret)?))
    }

    /// Decrypts a value.
    ///
    /// # Errors
    /// [`KeyEncryptionError::WrongKey`]: another key, another row, or a changed value.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        let Some((name, content)) = sealed.split_once('.') else {
            // From before keys had names: tries all keys.
            let all = self.held.read().ciphers.clone();
            return all.iter().find_map(|cipher| cipher.open(place, sealed).ok()).ok_or(KeyEncryptionError::WrongKey);
        };
        if let Some(cipher) = self.named(name) {
            return cipher.open(place, content);
        }
        // Another process may have added a key to the file since it was read.
        self.read_again()?;
        self.named(name).ok_or(KeyEncryptionError::WrongKey)?.open(place, content)
    }

    /// Returns the number of keys: more than one during a replacement.
    pub fn count(&self) -> usize {
        self.held.read().ciphers.len()
    }

    /// Returns the name of the key that encrypts now.
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

    fn read_again(&self) -> Result<(), KeyEncryptionError> {
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
