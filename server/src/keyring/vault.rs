//! Making, encrypting and decrypting stored server keys.

use super::held::Held;
use super::macs::{Digests, FIRST};
use super::{EnvelopeKey, Error, Macs, Made, SigningKey};
use crate::config::Config;
use crate::entropy::Entropy;
use crate::key_encryption::KeyEncryptionKey;
use domain::UnixMs;
use domain::server_key::{Rules, State};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use store::Store;
use store::keys::{Kind, StoredKey, line};
use zeroize::Zeroizing;

/// The means to make and read keys.
pub struct Vault<'a> {
    pub store: &'a dyn Store,
    pub key: &'a KeyEncryptionKey,
    pub entropy: &'a dyn Entropy,
    pub config: &'a Config,
    pub now: UnixMs,
}

/// Returns the rotation rules of a kind.
pub fn rules(config: &Config, kind: Kind) -> Rules {
    match kind {
        Kind::Envelope => Rules::envelope(config.settings.keys.envelope_overlap.ms()),
        Kind::Signing => Rules::SIGNING,
        Kind::Mac | Kind::Digest => Rules::mac(config.settings.session.absolute.ms()),
    }
}

impl Vault<'_> {
    /// Returns all keys and makes required ones.
    ///
    /// # Errors
    /// The store fails, or a key cannot be made.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, Error> {
        let mut keys = self.store.keys().await?;
        for kind in [Kind::Envelope, Kind::Signing, Kind::Mac, Kind::Digest] {
            let line = line(kind, &keys);
            if line.needs_another() {
                let key = match kind {
                    Kind::Digest => self.make_digests(&keys)?,
                    _ => self.make(kind, line.at_once(self.now)).await?,
                };
                // Another node may be first; the stored key counts.
                self.store.add_key(&key, line.newest().map(|newest| newest.kid.as_str()), None).await?;
                keys = self.store.keys().await?;
            }
        }
        Ok(keys)
    }

    /// Makes a new key in the stored form.
    ///
    /// # Errors
    /// It cannot be made or encrypted.
    pub async fn make(&self, kind: Kind, used_from: UnixMs) -> Result<StoredKey, Error> {
        let made = match kind {
            // Generating primes would block other requests.
            Kind::Envelope => tokio::task::spawn_blocking(EnvelopeKey::make).await.ok().flatten(),
            Kind::Signing => SigningKey::make(self.config.settings.keys.signing_algorithm),
            Kind::Mac => Some(Macs::make(self.entropy)),
            Kind::Digest => Digests::make(self.entropy, None),
        };
        self.seal(kind, made.ok_or(Error::Make(kind.as_str()))?, used_from)
    }

    /// Returns the key of digests. In a database that had a single MAC key, this is derived as before, so that existing
    /// digests remain valid.
    fn make_digests(&self, keys: &[StoredKey]) -> Result<StoredKey, Error> {
        let first = keys.iter().find(|key| key.kind == Kind::Mac && key.kid == FIRST);
        let first = first.map(|key| self.open(key)).transpose()?;
        let made = Digests::make(self.entropy, first.as_ref().map(|secret| secret.as_slice()));
        self.seal(Kind::Digest, made.ok_or(Error::Make(Kind::Digest.as_str()))?, self.now)
    }

    fn seal(&self, kind: Kind, made: Made, used_from: UnixMs) -> Result<StoredKey, Error> {
        let Made { kid, alg, secret } = made;
        let sealed = self.key.seal(self.entropy, &place(kind, &kid), &secret)?;
        Ok(StoredKey { kid, kind, alg: alg.to_owned(), sealed, created_at: self.now, used_from, revoked_at: None })
    }

    pub(super) fn envelope(
        &self,
        keys: &[StoredKey],
        held: Option<&Held<EnvelopeKey>>,
    ) -> Result<Held<EnvelopeKey>, Error> {
        self.hold(Kind::Envelope, keys, held, |_, secret| EnvelopeKey::read(secret))
    }

    pub(super) fn signing(
        &self,
        keys: &[StoredKey],
        held: Option<&Held<SigningKey>>,
    ) -> Result<Held<SigningKey>, Error> {
        self.hold(Kind::Signing, keys, held, |key, secret| SigningKey::read(&key.alg, secret))
    }

    pub(super) fn macs(&self, keys: &[StoredKey], held: Option<&Held<Macs>>) -> Result<Held<Macs>, Error> {
        self.hold(Kind::Mac, keys, held, |_, secret| Macs::derive(secret))
    }

    pub(super) fn digests(&self, keys: &[StoredKey]) -> Result<Digests, Error> {
        let key = keys.iter().find(|key| key.kind == Kind::Digest).ok_or(Error::None(Kind::Digest.as_str()))?;
        Digests::derive(&self.open(key)?).ok_or_else(|| unreadable(key))
    }

    /// Reads the keys in use, and expired MAC keys that are not yet erased, whose values do not count as forgeries.
    /// Keys that are already in memory are not read again.
    fn hold<K>(
        &self,
        kind: Kind,
        keys: &[StoredKey],
        held: Option<&Held<K>>,
        read: impl Fn(&StoredKey, &[u8]) -> Option<K>,
    ) -> Result<Held<K>, Error> {
        let mut now_held = Held { line: line(kind, keys), rules: rules(self.config, kind), keys: HashMap::new() };
        let state = |kid: &str| now_held.line.state(kid, now_held.rules, self.now);
        let wanted = |key: &&StoredKey| kind == Kind::Mac || state(&key.kid).is_some_and(State::serves);
        let of_kind = keys.iter().filter(|key| key.kind == kind && !key.sealed.is_empty());
        for stored in of_kind.filter(wanted).collect::<Vec<_>>() {
            let key = match held.and_then(|held| held.keys.get(&stored.kid)) {
                Some(key) => Arc::clone(key),
                None => Arc::new(read(stored, &self.open(stored)?).ok_or_else(|| unreadable(stored))?),
            };
            now_held.keys.insert(stored.kid.clone(), key);
        }
        Ok(now_held)
    }

    fn open(&self, key: &StoredKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.key.open(&place(key.kind, &key.kid), &key.sealed)?)
    }
}

/// Returns the associated data, so that a moved row cannot be decrypted. The store uses the same name.
fn place(kind: Kind, kid: &str) -> String {
    format!("keys/{}/{kid}", kind.as_str())
}

fn unreadable(key: &StoredKey) -> Error {
    Error::Read { kind: key.kind.as_str(), kid: key.kid.clone() }
}

impl fmt::Debug for Vault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}
