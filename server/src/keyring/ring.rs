//! Everything the server holds in secret while it runs.

use super::held::Held;
use super::{EnvelopeKey, Error, Macs, SigningKey, Vault};
use axum::body::Bytes;
use domain::UnixMs;
use domain::encoding::base64url;
use parking_lot::{Mutex as Lock, RwLock};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::keys::{Kind, line};
use tokio::sync::Mutex;
use wire::jwk::{Jwks, SigningJwk};

/// Whoever shows a key that nobody knows makes us ask the store, but no more often than this.
const ASK_EVERY_MS: i64 = 1_000;

/// Keys come and go while requests are under way: whoever works with one keeps it until done.
pub struct Keyring {
    ring: RwLock<Arc<Ring>>,
    /// When the store was last asked. Held while it is: what was read first is not put in place last.
    asked: Mutex<UnixMs>,
    revocations: AtomicU64,
    pub macs: Macs,
}

struct Ring {
    envelope: Held<EnvelopeKey>,
    signing: Held<SigningKey>,
    /// The keys in public, as they were written in this second: everybody asks for them.
    written: Lock<Option<(i64, Bytes)>>,
}

impl Ring {
    fn new(envelope: Held<EnvelopeKey>, signing: Held<SigningKey>) -> Arc<Self> {
        Arc::new(Self { envelope, signing, written: Lock::new(None) })
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
        let ring = Ring::new(vault.envelope(&keys, None)?, vault.signing(&keys, None)?);
        Ok(Self {
            ring: RwLock::new(ring),
            asked: Mutex::new(vault.now),
            revocations: AtomicU64::new(0),
            macs: vault.macs(&keys)?,
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
        let (envelope, signing) = (line(Kind::Envelope, &keys), line(Kind::Signing, &keys));
        let ring = self.ring();
        if ring.envelope.is_whole(&envelope, vault.now) && ring.signing.is_whole(&signing, vault.now) {
            return Ok(());
        }
        let is_revoked = ring.signing.loses_by(&signing, vault.now);
        let (envelope, signing) =
            (vault.envelope(&keys, Some(&ring.envelope))?, vault.signing(&keys, Some(&ring.signing))?);
        *self.ring.write() = Ring::new(envelope, signing);
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
