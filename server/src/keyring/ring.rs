//! The server's secrets in memory.

use super::serving::ServingKeys;
use super::{Algorithm, Digests, EnvelopeKey, KeyringError, MacKeys, SigningKey, Vault};
use axum::body::Bytes;
use domain::encoding::base64url;
use domain::{UnixMs, UnixSeconds};
use jose::PublicKey;
use parking_lot::{Mutex as Lock, RwLock};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::keys::{KeyKind, StoredKey, line};
use tokio::sync::Mutex;
use verify::nonce;
use wire::jwk::{Jwks, SigningJwk};

/// Minimum interval for reading the store because of an unknown key.
const ASK_EVERY_MS: i64 = 1_000;

/// The server's keys in memory. They may be added or removed during a request; a user of a key keeps it until it is
/// done.
pub struct Keyring {
    ring: RwLock<Arc<Ring>>,
    /// The time of the last read. Locked during a read, so that an older result never replaces a newer one.
    asked: Mutex<UnixMs>,
    revocations: AtomicU64,
    changes: AtomicU64,
    pub digests: Digests,
}

struct Ring {
    envelope: ServingKeys<EnvelopeKey>,
    signing: ServingKeys<SigningKey>,
    id_token: ServingKeys<SigningKey>,
    /// The public halves of signing keys that have ended, by id.
    ended_signing: HashMap<String, PublicKey>,
    macs: ServingKeys<MacKeys>,
    /// The serialized public keys of the current second, because many clients request them.
    written: Lock<Option<(UnixSeconds, Bytes)>>,
}

impl Ring {
    /// Reuses the keys that `before` has already read.
    fn read(vault: &Vault<'_>, keys: &[StoredKey], before: Option<&Self>) -> Result<Arc<Self>, KeyringError> {
        Ok(Arc::new(Self {
            envelope: vault.envelope(keys, before.map(|ring| &ring.envelope))?,
            signing: vault.signing(KeyKind::Signing, keys, before.map(|ring| &ring.signing))?,
            id_token: vault.signing(KeyKind::IdToken, keys, before.map(|ring| &ring.id_token))?,
            ended_signing: vault.ended_signing(keys),
            macs: vault.macs(keys, before.map(|ring| &ring.macs))?,
            written: Lock::new(None),
        }))
    }

    /// Whether all of `keys`, the keys in the store, have already been read.
    fn is_whole(&self, keys: &[StoredKey], now: UnixMs) -> bool {
        self.envelope.is_whole(&line(KeyKind::Envelope, keys), now)
            && self.signing.is_whole(&line(KeyKind::Signing, keys), now)
            && self.id_token.is_whole(&line(KeyKind::IdToken, keys), now)
            && self.macs.is_whole(&line(KeyKind::Mac, keys), now)
    }

    fn lacks_keys(&self, now: UnixMs) -> bool {
        self.envelope.lacks_keys(now)
            || self.signing.lacks_keys(now)
            || self.id_token.lacks_keys(now)
            || self.macs.lacks_keys(now)
    }

    fn published(&self, now: UnixMs) -> Vec<SigningJwk> {
        self.signing.all_serving(now).chain(self.id_token.all_serving(now)).map(|key| key.public.clone()).collect()
    }
}

impl Keyring {
    /// Loads the keys and makes missing ones.
    ///
    /// # Errors
    /// The store fails, or its keys belong to another key-encryption key.
    pub async fn load(vault: &Vault<'_>) -> Result<Self, KeyringError> {
        let keys = vault.keys().await?;
        Ok(Self {
            ring: RwLock::new(Ring::read(vault, &keys, None)?),
            asked: Mutex::new(vault.now),
            revocations: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            digests: vault.digests(&keys)?,
        })
    }

    /// Reads keys that other processes made or revoked.
    ///
    /// # Errors
    /// As [`Self::load`]; the cached keys remain.
    pub async fn reload(&self, vault: &Vault<'_>) -> Result<(), KeyringError> {
        let mut asked = self.asked.lock().await;
        *asked = vault.now;
        self.replace(vault).await
    }

    /// Whether a key that is in use could not be read: another node has a newer key-encryption key.
    pub fn lacks_keys(&self, now: UnixMs) -> bool {
        self.ring().lacks_keys(now)
    }

    /// Reads the store because of an unknown key, at most once a second.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub async fn reload_for_unknown(&self, vault: &Vault<'_>) -> Result<(), KeyringError> {
        let mut asked = self.asked.lock().await;
        if (vault.now - *asked).abs() < ASK_EVERY_MS {
            return Ok(());
        }
        *asked = vault.now;
        self.replace(vault).await
    }

    async fn replace(&self, vault: &Vault<'_>) -> Result<(), KeyringError> {
        let keys = vault.keys().await?;
        let ring = self.ring();
        if ring.is_whole(&keys, vault.now) {
            return Ok(());
        }
        let is_revoked = ring.signing.loses_by(&line(KeyKind::Signing, &keys), vault.now);
        *self.ring.write() = Ring::read(vault, &keys, Some(&ring))?;
        // After the keys, so that a reader of the new number finds the new keys.
        self.changes.fetch_add(1, Ordering::SeqCst);
        if is_revoked {
            self.revocations.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// Returns the key that signs now.
    ///
    /// # Errors
    /// Never, as long as the clock advances.
    pub fn signing(&self, now: UnixMs) -> Result<Arc<SigningKey>, KeyringError> {
        self.ring().signing.current(now).ok_or(KeyringError::None(KeyKind::Signing.as_str()))
    }

    /// Returns the RSA key that signs ID tokens now.
    ///
    /// # Errors
    /// As [`Self::signing`].
    pub fn id_token(&self, now: UnixMs) -> Result<Arc<SigningKey>, KeyringError> {
        self.ring().id_token.current(now).ok_or(KeyringError::None(KeyKind::IdToken.as_str()))
    }

    /// Returns the signing key of this algorithm for ID tokens. It is the one in use, or else the newest other one that
    /// is published. After a change of the algorithm, this is the next key, or the replaced one in its overlap.
    pub fn signing_with(&self, algorithm: &str, now: UnixMs) -> Option<Arc<SigningKey>> {
        let signing = &self.ring().signing;
        let fits = |key: &Arc<SigningKey>| key.public.alg == algorithm;
        signing.current(now).filter(fits).or_else(|| signing.all_serving(now).rev().find(|key| fits(key)).cloned())
    }

    /// Returns the algorithms of the published signing keys, the one in use first.
    pub fn signing_algorithms(&self, now: UnixMs) -> Vec<&'static str> {
        let signing = &self.ring().signing;
        let mut names = Vec::new();
        for key in signing.current(now).iter().chain(signing.all_serving(now)) {
            let name = Algorithm::parse(&key.public.alg).map(Algorithm::as_str);
            names.extend(name.filter(|name| !names.contains(name)));
        }
        names
    }

    /// Returns the public half of the key with this id that signs or has signed ID tokens: an RSA key, or a signing key. It
    /// may have ended long ago, but was not revoked.
    pub fn verifying_hint(&self, kid: &str, now: UnixMs) -> Option<PublicKey> {
        let ring = self.ring();
        let held = [&ring.id_token, &ring.signing].into_iter().find_map(|keys| keys.unrevoked(kid, now));
        held.map(|key| key.verifying.clone()).or_else(|| ring.ended_signing.get(kid).cloned())
    }

    /// Returns the key with this id, if its signatures are valid.
    pub fn verifying(&self, kid: &str, now: UnixMs) -> Option<Arc<SigningKey>> {
        self.ring().signing.serving(kid, now)
    }

    /// Returns the public keys for verifiers, including the next one.
    pub fn published(&self, now: UnixMs) -> Vec<SigningJwk> {
        self.ring().published(now)
    }

    /// Returns them as JWKS (RFC 7517, section 5).
    ///
    /// # Errors
    /// Never: keys can be serialized.
    pub fn jwks(&self, now: UnixMs) -> Result<Bytes, serde_json::Error> {
        let (ring, second) = (self.ring(), now.to_seconds());
        let mut written = ring.written.lock();
        if let Some((_, body)) = written.as_ref().filter(|(at, _)| *at == second) {
            return Ok(body.clone());
        }
        let body = Bytes::from(serde_json::to_vec(&Jwks { keys: ring.published(now) })?);
        *written = Some((second, body.clone()));
        Ok(body)
    }

    /// Whether a key with this id is or was ours.
    pub fn knows(&self, kid: &str, now: UnixMs) -> bool {
        let ring = self.ring();
        ring.signing.line.state(kid, ring.signing.rules, now).is_some()
    }

    /// Returns the key for encrypting logins now.
    ///
    /// # Errors
    /// Never, as long as the clock advances.
    pub fn envelope(&self, now: UnixMs) -> Result<Arc<EnvelopeKey>, KeyringError> {
        self.ring().envelope.current(now).ok_or(KeyringError::None(KeyKind::Envelope.as_str()))
    }

    /// Returns the key with this id, if it still decrypts.
    pub fn opening(&self, kid: &[u8; 32], now: UnixMs) -> Option<Arc<EnvelopeKey>> {
        self.ring().envelope.serving(&base64url(kid), now)
    }

    /// Returns the MAC key for new values.
    ///
    /// # Errors
    /// Never, as long as the clock goes on.
    pub fn macs(&self, now: UnixMs) -> Result<Arc<MacKeys>, KeyringError> {
        self.ring().macs.current(now).ok_or(KeyringError::None(KeyKind::Mac.as_str()))
    }

    /// Tries `read` with each valid MAC key, newest first, and returns the first result.
    pub fn authentic<T>(&self, now: UnixMs, read: impl Fn(&MacKeys) -> Option<T>) -> Option<T> {
        self.ring().macs.all_serving(now).rev().find_map(|macs| read(macs))
    }

    /// Tries `read` with every MAC key in memory, including expired and revoked ones. Others may have such a key, so
    /// the result admits nobody. It only separates values worth a look-up from certain forgeries.
    pub fn made_here<T>(&self, read: impl Fn(&MacKeys) -> Option<T>) -> Option<T> {
        self.ring().macs.keys.values().find_map(|macs| read(macs))
    }

    /// Returns the valid MAC keys, the one in use first.
    pub fn serving_macs(&self, now: UnixMs) -> Vec<Arc<MacKeys>> {
        let ring = self.ring();
        let current = ring.macs.current(now);
        let others =
            ring.macs.all_serving(now).filter(|macs| current.as_ref().is_none_or(|own| !Arc::ptr_eq(own, macs)));
        current.iter().chain(others).cloned().collect()
    }

    /// Returns expired and revoked MAC keys that are still in memory.
    pub fn ended_macs(&self, now: UnixMs) -> Vec<Arc<MacKeys>> {
        let macs = &self.ring().macs;
        let ended = macs.keys.iter().filter(|(kid, _)| macs.serving(kid, now).is_none());
        ended.map(|(_, macs)| Arc::clone(macs)).collect()
    }

    /// Makes a nonce for a proof (RFC 9449, section 8).
    pub fn nonce(&self, now: UnixMs) -> String {
        self.macs(now).map(|macs| nonce::make(&macs.nonce, now)).unwrap_or_default()
    }

    /// Whether a nonce was issued here and is still fresh.
    pub fn nonce_is_fresh(&self, nonce: &str, now: UnixMs) -> bool {
        self.authentic(now, |macs| nonce::is_fresh(&macs.nonce, nonce, now).then_some(())).is_some()
    }

    /// Returns the ids of signing keys that were revoked at or after `since`.
    pub fn revoked(&self, since: UnixMs) -> Vec<String> {
        self.ring().signing.line.revoked(since).map(|key| key.kid.clone()).collect()
    }

    /// Returns a number that increases after each revocation of a signing key, which invalidates cached verifications.
    pub fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Acquire)
    }

    /// Returns a number that increases after each change of the keys in memory.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}
