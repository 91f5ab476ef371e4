//! Making, encrypting and decrypting stored server keys.

use super::macs::{Digests, FIRST};
use super::serving::ServingKeys;
use super::{Algorithm, EnvelopeKey, KeyringError, MacKeys, Made, SigningKey};
use crate::config::Config;
use crate::entropy::Entropy;
use crate::error_chain::chain;
use crate::key_encryption::KeyEncryptionKey;
use domain::UnixMs;
use domain::server_key::{RotationRules, ServerKeyState};
use jose::PublicKey;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use store::Store;
use store::keys::{KeyKind, StoredKey, line};
use wire::jwk::TokenJwk;
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
pub fn rules(config: &Config, kind: KeyKind) -> RotationRules {
    match kind {
        KeyKind::Envelope => RotationRules::envelope(config.settings.keys.envelope_overlap.ms()),
        KeyKind::Signing | KeyKind::IdToken => RotationRules::SIGNING,
        KeyKind::Mac | KeyKind::Digest => RotationRules::mac(config.settings.session.absolute.ms()),
    }
}

impl Vault<'_> {
    /// Returns all keys and makes required ones.
    ///
    /// # Errors
    /// The store fails, or a key cannot be made.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, KeyringError> {
        let mut keys = self.store.keys().await?;
        for kind in [KeyKind::Envelope, KeyKind::Signing, KeyKind::IdToken, KeyKind::Mac, KeyKind::Digest] {
            let line = line(kind, &keys);
            if line.needs_another() {
                let key = match kind {
                    KeyKind::Digest => self.make_digests(&keys)?,
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
    pub async fn make(&self, kind: KeyKind, used_from: UnixMs) -> Result<StoredKey, KeyringError> {
        let made = match kind {
            // Generating primes would block other requests.
            KeyKind::Envelope => tokio::task::spawn_blocking(EnvelopeKey::make).await.ok().flatten(),
            KeyKind::Signing => SigningKey::make(self.config.settings.keys.signing_algorithm),
            KeyKind::IdToken => tokio::task::spawn_blocking(|| SigningKey::make(Algorithm::Rs256)).await.ok().flatten(),
            KeyKind::Mac => Some(MacKeys::make(self.entropy)),
            KeyKind::Digest => Digests::make(self.entropy, None),
        };
        self.seal(kind, made.ok_or(KeyringError::Make(kind.as_str()))?, used_from)
    }

    /// Returns the key of digests. In a database that had a single MAC key, this is derived as before, so that existing
    /// digests remain valid.
    fn make_digests(&self, keys: &[StoredKey]) -> Result<StoredKey, KeyringError> {
        let first = keys.iter().find(|key| key.kind == KeyKind::Mac && key.kid == FIRST);
        let first = first.map(|key| self.open(key)).transpose()?;
        let made = Digests::make(self.entropy, first.as_ref().map(|secret| secret.as_slice()));
        self.seal(KeyKind::Digest, made.ok_or(KeyringError::Make(KeyKind::Digest.as_str()))?, self.now)
    }

    fn seal(&self, kind: KeyKind, made: Made, used_from: UnixMs) -> Result<StoredKey, KeyringError> {
        let Made { kid, alg, secret } = made;
        let sealed = self.key.seal(self.entropy, &associated_data(kind, &kid), &secret)?;
        let (alg, public_half) = (alg.to_owned(), String::new());
        Ok(StoredKey { kid, kind, alg, sealed, public_half, created_at: self.now, used_from, revoked_at: None })
    }

    pub(super) fn envelope(
        &self,
        keys: &[StoredKey],
        held: Option<&ServingKeys<EnvelopeKey>>,
    ) -> Result<ServingKeys<EnvelopeKey>, KeyringError> {
        self.hold(KeyKind::Envelope, keys, held, |_, secret| EnvelopeKey::read(secret))
    }

    pub(super) fn signing(
        &self,
        kind: KeyKind,
        keys: &[StoredKey],
        held: Option<&ServingKeys<SigningKey>>,
    ) -> Result<ServingKeys<SigningKey>, KeyringError> {
        self.hold(kind, keys, held, |key, secret| SigningKey::read(&key.alg, secret))
    }

    pub(super) fn macs(
        &self,
        keys: &[StoredKey],
        held: Option<&ServingKeys<MacKeys>>,
    ) -> Result<ServingKeys<MacKeys>, KeyringError> {
        self.hold(KeyKind::Mac, keys, held, |_, secret| MacKeys::derive(secret))
    }

    pub(super) fn digests(&self, keys: &[StoredKey]) -> Result<Digests, KeyringError> {
        let key =
            keys.iter().find(|key| key.kind == KeyKind::Digest).ok_or(KeyringError::None(KeyKind::Digest.as_str()))?;
        Digests::derive(&self.open(key)?).ok_or_else(|| unreadable(key))
    }

    /// Reads the keys in use, and expired MAC keys that are not yet erased, whose values do not count as forgeries.
    /// Keys that are already in memory are not read again. In a process that serves already, a key that cannot be read
    /// is left out, so that it does not keep a revocation from taking effect.
    fn hold<K>(
        &self,
        kind: KeyKind,
        keys: &[StoredKey],
        held: Option<&ServingKeys<K>>,
        read: impl Fn(&StoredKey, &[u8]) -> Option<K>,
    ) -> Result<ServingKeys<K>, KeyringError> {
        let mut now_held = ServingKeys {
            line: line(kind, keys),
            rules: rules(self.config, kind),
            keys: HashMap::new(),
            unreadable: HashSet::new(),
        };
        let state = |kid: &str| now_held.line.state(kid, now_held.rules, self.now);
        let wanted = |key: &&StoredKey| kind == KeyKind::Mac || state(&key.kid).is_some_and(ServerKeyState::serves);
        let of_kind = keys.iter().filter(|key| key.kind == kind && !key.sealed.is_empty());
        for stored in of_kind.filter(wanted).collect::<Vec<_>>() {
            let key = match held.and_then(|held| held.keys.get(&stored.kid)) {
                Some(key) => Arc::clone(key),
                None => match self.open(stored).and_then(|key| read(stored, &key).ok_or_else(|| unreadable(stored))) {
                    Ok(key) => Arc::new(key),
                    Err(cause) if held.is_some() => {
                        // It is tried again each second.
                        if held.is_some_and(|held| !held.unreadable.contains(&stored.kid)) {
                            tracing::error!(cause = %chain(&cause), kid = stored.kid, "a new server key cannot be read");
                        }
                        now_held.unreadable.insert(stored.kid.clone());
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            now_held.keys.insert(stored.kid.clone(), key);
        }
        Ok(now_held)
    }

    /// Returns the public halves of signing keys that have ended, by id. A revoked key is not among them, because others may
    /// sign with it.
    pub(super) fn ended_signing(&self, keys: &[StoredKey]) -> HashMap<String, PublicKey> {
        let mut ended = HashMap::new();
        for kind in [KeyKind::Signing, KeyKind::IdToken] {
            let (line, rules) = (line(kind, keys), rules(self.config, kind));
            let is_ended = |key: &&StoredKey| line.state(&key.kid, rules, self.now) == Some(ServerKeyState::Ended);
            for key in keys.iter().filter(|key| key.kind == kind).filter(is_ended) {
                let half = if key.sealed.is_empty() { key.public_half.clone() } else { self.public_half(key) };
                ended.extend(verifying_key(&half).map(|half| (key.kid.clone(), half)));
            }
        }
        ended
    }

    /// Returns the public half of a signing key as it is stored. Empty: it is another key, or cannot be read.
    pub fn public_half(&self, key: &StoredKey) -> String {
        let read = || {
            let secret = self.open(key).ok()?;
            serde_json::to_string(&SigningKey::read(&key.alg, &secret)?.public.key).ok()
        };
        let signs = matches!(key.kind, KeyKind::Signing | KeyKind::IdToken);
        signs.then(read).flatten().unwrap_or_default()
    }

    fn open(&self, key: &StoredKey) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        Ok(self.key.open(&associated_data(key.kind, &key.kid), &key.sealed)?)
    }
}

/// Returns the associated data, so that a moved row cannot be decrypted. The store uses the same name.
fn associated_data(kind: KeyKind, kid: &str) -> String {
    format!("keys/{}/{kid}", kind.as_str())
}

/// Reads a stored public half.
fn verifying_key(public_half: &str) -> Option<PublicKey> {
    match serde_json::from_str(public_half).ok()? {
        TokenJwk::Ec(key) => PublicKey::p256(&key.x, &key.y),
        TokenJwk::Okp(key) => PublicKey::ed25519(&key.x),
        TokenJwk::Rsa(key) => PublicKey::rsa(&key.n, &key.e),
    }
}

fn unreadable(key: &StoredKey) -> KeyringError {
    KeyringError::Read { kind: key.kind.as_str(), kid: key.kid.clone() }
}

impl fmt::Debug for Vault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}
