//! A cache of an issuer's keys.

use crate::error::TokenError;
use crate::fetch::{FetchError, Fetcher};
use crate::key::Keys;
use domain::UnixMs;
use jose::PublicKey;
use parking_lot::RwLock;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// Minimum interval between requests for unknown `kid`s, which anybody can invent.
const UNKNOWN_MS: i64 = 60_000;
/// Minimum interval between failed requests.
const RETRY_MS: i64 = 2_000;
/// Period that the last keys are used while the issuer is unavailable.
const OUTAGE_MS: i64 = 24 * 60 * 60_000;

/// The keys of one issuer, fetched on demand by one request at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Jwks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fetcher: Fetcher,
    known: RwLock<KnownKeys>,
    /// Locked during a request.
    turn: Mutex<()>,
}

#[derive(Debug, Clone)]
struct KnownKeys {
    keys: Arc<Keys>,
    fetched_at: UnixMs,
    /// The time until which no request is needed.
    fresh_until: UnixMs,
    tried_at: UnixMs,
    /// The reason why the last request failed.
    failure: Option<Arc<FetchError>>,
}

impl Jwks {
    /// Creates an empty cache. `url` should be https or on a trusted network, because a server at that URL can sign
    /// tokens.
    ///
    /// # Errors
    /// `url` is not a URL.
    pub fn new(url: &str) -> Result<Self, FetchError> {
        let known = KnownKeys {
            keys: Arc::default(),
            fetched_at: UnixMs::EPOCH,
            fresh_until: UnixMs::EPOCH,
            tried_at: UnixMs::MIN,
            failure: None,
        };
        Ok(Self(Arc::new(Inner { fetcher: Fetcher::new(url)?, known: RwLock::new(known), turn: Mutex::new(()) })))
    }

    /// Returns the issuer's key with this id, if it exists.
    ///
    /// # Errors
    /// The keys could not be fetched.
    pub async fn find(&self, kid: &str, now: UnixMs) -> Result<Option<PublicKey>, TokenError> {
        self.find_after(kid, now, UNKNOWN_MS).await
    }

    /// Does the same for a `kid` from the issuer itself, which strangers cannot cause.
    pub(crate) async fn find_at_once(&self, kid: &str, now: UnixMs) -> Result<Option<PublicKey>, TokenError> {
        self.find_after(kid, now, RETRY_MS).await
    }

    async fn find_after(&self, kid: &str, now: UnixMs, pause: i64) -> Result<Option<PublicKey>, TokenError> {
        let known = self.0.known.read().clone();
        let key = known.usable(kid, now);
        if !known.may_ask(key.is_some(), now, pause) {
            return if key.is_some() { Ok(key) } else { known.absent(now) };
        }
        // With a known key, no caller waits for another caller's request.
        let turn = match (&key, self.0.turn.try_lock()) {
            (_, Ok(turn)) => turn,
            (Some(_), Err(_)) => return Ok(key),
            (None, Err(_)) => self.0.turn.lock().await,
        };
        let known = self.ask(turn, kid, now, pause).await;
        match known.usable(kid, now) {
            Some(key) => Ok(Some(key)),
            None => known.absent(now),
        }
    }

    /// Fetches, unless another caller has done so while this one waited.
    async fn ask(&self, _turn: MutexGuard<'_, ()>, kid: &str, now: UnixMs, pause: i64) -> KnownKeys {
        let before = self.0.known.read().clone();
        if !before.may_ask(before.usable(kid, now).is_some(), now, pause) {
            return before;
        }
        let after = match self.0.fetcher.fetch().await {
            Ok((keys, age)) => {
                let keys = Arc::new(keys);
                KnownKeys { keys, fetched_at: now, fresh_until: now + age, tried_at: now, failure: None }
            }
            Err(error) => {
                tracing::warn!(cause = %error, "the issuer's keys could not be fetched");
                KnownKeys { tried_at: now, failure: Some(Arc::new(error)), ..before }
            }
        };
        *self.0.known.write() = after.clone();
        after
    }
}

impl KnownKeys {
    fn usable(&self, kid: &str, now: UnixMs) -> Option<PublicKey> {
        (now < self.fresh_until.max(self.fetched_at + OUTAGE_MS)).then(|| self.keys.get(kid).cloned()).flatten()
    }

    fn may_ask(&self, found: bool, now: UnixMs, pause: i64) -> bool {
        let pause = if self.failure.is_some() { RETRY_MS } else { pause };
        let old = now >= self.fresh_until;
        // If the clock was set back, do not wait too long.
        let rested = now.since(self.tried_at) >= pause || now < self.tried_at;
        (old || !found) && rested
    }

    /// Returns the result for an unknown key.
    fn absent(&self, now: UnixMs) -> Result<Option<PublicKey>, TokenError> {
        match &self.failure {
            Some(failure) => Err(TokenError::NoKeys(Arc::clone(failure))),
            None if now < self.fetched_at + OUTAGE_MS => Ok(None),
            None => Err(TokenError::NoKeys(Arc::new(FetchError::Waiting))),
        }
    }
}
