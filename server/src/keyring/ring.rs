//! Everything the server holds in secret while it runs.

use super::held::Held;
use super::{Digests, EnvelopeKey, Error, Macs, SigningKey, Vault};
use axum::body::Bytes;
use domain::UnixMs;
use domain::encoding::base64url;
use parking_lot::{Mutex as Lock, RwLock};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::keys::{Kind, StoredKey, line};
use tokio::sync::Mutex;
use verify::nonce;
use wire::jwk::{Jwks, SigningJwk};

/// Whoever shows a key that nobody knows makes us ask the store, but no more often than this.
const ASK_EVERY_MS: i64 = 1_000;

/// Keys come and go while requests are under way: whoever works with one keeps it until done.
pub struct Keyring {
    ring: RwLock<Arc<Ring>>,
    /// When the store was last asked. Held while it is: what was read first is not put in place last.
    asked: Mutex<UnixMs>,
    revocations: AtomicU64,
    pub digests: Digests,
}

struct Ring {
    envelope: Held<EnvelopeKey>,
    signing: Held<SigningKey>,
    macs: Held<Macs>,
    /// The keys in public, as they were written in this second: everybody asks for them.
    written: Lock<Option<(i64, Bytes)>>,
}

impl Ring {
    /// Takes over from `before` what was read already.
    fn read(vault: &Vault<'_>, keys: &[StoredKey], before: Option<&Self>) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self {
            envelope: vault.envelope(keys, before.map(|ring| &ring.envelope))?,
            signing: vault.signing(keys, before.map(|ring| &ring.signing))?,
            macs: vault.macs(keys, before.map(|ring| &ring.macs))?,
            written: Lock::new(None),
        }))
    }

    /// Whether nothing has to be read, as long as `keys` is what the store says.
    fn is_whole(&self, keys: &[StoredKey], now: UnixMs) -> bool {
        self.envelope.is_whole(&line(Kind::Envelope, keys), now)
            && self.signing.is_whole(&line(Kind::Signing, keys), now)
            && self.macs.is_whole(&line(Kind::Mac, keys), now)
    }

    fn published(&self, now: UnixMs) -> Vec<SigningJwk> {
        self.signing.all_serving(now).map(|key| key.public.clone()).collect()
    }
}

impl Keyring {
    /// Loads the keys; makes those that are missing.
    ///
    /// # Errors
    /// The store does not answer, or its keys were encrypted with another key-encryption key.
    pub async fn load(vault: &Vault<'_>) -> Result<Self, Error> {
        let keys = vault.keys().await?;
        Ok(Self {
            ring: RwLock::new(Ring::read(vault, &keys, None)?),
            asked: Mutex::new(vault.now),
            revocations: AtomicU64::new(0),
            digests: vault.digests(&keys)?,
        })
    }

    /// Hears of keys that were made or revoked elsewhere.
    ///
    /// # Errors
    /// As [`Self::load`]; the keys in memory stay.
    pub async fn hear(&self, vault: &Vault<'_>) -> Result<(), Error> {
        let mut asked = self.asked.lock().await;
        *asked = vault.now;
        self.replace(vault).await
    }

    /// Hears of news because a key is not known, unless the store was asked within the last second.
    ///
    /// # Errors
    /// As [`Self::hear`].
    pub async fn look_for_more(&self, vault: &Vault<'_>) -> Result<(), Error> {
        let mut asked = self.asked.lock().await;
        if (vault.now - *asked).abs() < ASK_EVERY_MS {
            return Ok(());
        }
        *asked = vault.now;
        self.replace(vault).await
    }

    async fn replace(&self, vault: &Vault<'_>) -> Result<(), Error> {
        let keys = vault.keys().await?;
        let ring = self.ring();
        if ring.is_whole(&keys, vault.now) {
            return Ok(());
        }
        let is_revoked = ring.signing.loses_by(&line(Kind::Signing, &keys), vault.now);
        *self.ring.write() = Ring::read(vault, &keys, Some(&ring))?;
        if is_revoked {
            self.revocations.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// Never, as long as the clock goes on.
    pub fn signing(&self, now: UnixMs) -> Result<Arc<SigningKey>, Error> {
        self.ring().signing.current(now).ok_or(Error::None(Kind::Signing.as_str()))
    }

    /// The key of this name, if what it signed is good.
    pub fn verifying(&self, kid: &str, now: UnixMs) -> Option<Arc<SigningKey>> {
        self.ring().signing.serving(kid, now)
    }

    /// What others verify with, the next one included.
    pub fn published(&self, now: UnixMs) -> Vec<SigningJwk> {
        self.ring().published(now)
    }

    /// The same as a JWKS (RFC 7517, section 5).
    ///
    /// # Errors
    /// Never: keys have a form in JSON.
    pub fn jwks(&self, now: UnixMs) -> Result<Bytes, serde_json::Error> {
        let (ring, second) = (self.ring(), now.div_euclid(1000));
        let mut written = ring.written.lock();
        if let Some((_, body)) = written.as_ref().filter(|(at, _)| *at == second) {
            return Ok(body.clone());
        }
        let body = Bytes::from(serde_json::to_vec(&Jwks { keys: ring.published(now) })?);
        *written = Some((second, body.clone()));
        Ok(body)
    }

    /// Whether a key of this name is, or was, one of ours.
    pub fn knows(&self, kid: &str, now: UnixMs) -> bool {
        let ring = self.ring();
        ring.signing.line.state(kid, ring.signing.rules, now).is_some()
    }

    /// The key that logins are sealed to now.
    ///
    /// # Errors
    /// Never, as long as the clock goes on.
    pub fn envelope(&self, now: UnixMs) -> Result<Arc<EnvelopeKey>, Error> {
        self.ring().envelope.current(now).ok_or(Error::None(Kind::Envelope.as_str()))
    }

    /// The key of this name, if what is sealed to it still opens.
    pub fn opening(&self, kid: &[u8; 32], now: UnixMs) -> Option<Arc<EnvelopeKey>> {
        self.ring().envelope.serving(&base64url(kid), now)
    }

    /// The key that authenticates now what is given out.
    ///
    /// # Errors
    /// Never, as long as the clock goes on.
    pub fn macs(&self, now: UnixMs) -> Result<Arc<Macs>, Error> {
        self.ring().macs.current(now).ok_or(Error::None(Kind::Mac.as_str()))
    }

    /// What `read` makes of a value with one of the MAC keys whose values are good, the newest first.
    pub fn authentic<T>(&self, now: UnixMs, read: impl Fn(&Macs) -> Option<T>) -> Option<T> {
        self.ring().macs.all_serving(now).rev().find_map(|macs| read(macs))
    }

    /// The same with every MAC key that is still in memory, also those that are over or revoked. Others may have such a
    /// key: it lets nobody in, and only tells what may be looked up from what is surely a forgery.
    pub fn made_here<T>(&self, read: impl Fn(&Macs) -> Option<T>) -> Option<T> {
        self.ring().macs.keys.values().find_map(|macs| read(macs))
    }

    /// MAC keys whose values are good, the one in use first.
    pub fn serving_macs(&self, now: UnixMs) -> Vec<Arc<Macs>> {
        let ring = self.ring();
        let current = ring.macs.current(now);
        let others =
            ring.macs.all_serving(now).filter(|macs| current.as_ref().is_none_or(|own| !Arc::ptr_eq(own, macs)));
        current.iter().chain(others).cloned().collect()
    }

    /// MAC keys in memory that are over or revoked.
    pub fn ended_macs(&self, now: UnixMs) -> Vec<Arc<Macs>> {
        let macs = &self.ring().macs;
        let ended = macs.keys.iter().filter(|(kid, _)| macs.serving(kid, now).is_none());
        ended.map(|(_, macs)| Arc::clone(macs)).collect()
    }

    /// A nonce for a proof (RFC 9449, section 8).
    pub fn nonce(&self, now: UnixMs) -> String {
        self.macs(now).map(|macs| nonce::make(&macs.nonce, now)).unwrap_or_default()
    }

    /// Whether a nonce is ours and fresh.
    pub fn nonce_is_fresh(&self, nonce: &str, now: UnixMs) -> bool {
        self.authentic(now, |macs| nonce::is_fresh(&macs.nonce, nonce, now).then_some(())).is_some()
    }

    /// Signing keys that were revoked at or after `since`, by name.
    pub fn revoked(&self, since: UnixMs) -> Vec<String> {
        self.ring().signing.line.revoked(since).map(|key| key.kid.clone()).collect()
    }

    /// Goes up after each revocation of a signing key: what was verified before may not be good any more.
    pub fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Acquire)
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
