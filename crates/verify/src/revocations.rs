//! What the issuer ended before its time, asked for every two seconds while there is somebody to judge.

use crate::error::Error;
use crate::fetch::{FetchError, Fetcher};
use crate::jwks::Jwks;
use crate::token::Unverified;
use domain::UnixMs;
use domain::revocation::mark;
use parking_lot::RwLock;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};
use wire::revocations::{Claims, TYP};

/// A list of this age is asked for again.
const FRESH_MS: i64 = 2_000;
/// Up to this age it is good enough for those who would have to wait for another's request.
const GOOD_MS: i64 = 3_000;
/// How soon to ask again an issuer that gave none.
const RETRY_MS: i64 = 1_000;
/// Room for clocks that differ.
const SKEW_MS: i64 = 30_000;
const LONGEST_LIST: usize = 4 * 1024 * 1024;

/// What to do while no list is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// The last one goes on for so many milliseconds; after that no token is good.
    Refuse { after_ms: i64 },
    /// The last one goes on until there is another. What ends meanwhile stays good until its own time is over,
    /// five minutes at most for access tokens.
    GoOn,
}

impl Default for Outage {
    /// Refuses after half a minute: long enough for the auth server to start again.
    fn default() -> Self {
        Self::Refuse { after_ms: 30_000 }
    }
}

/// The issuer's list of ended sessions and revoked keys: fetched when it is needed, by one request at a time.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fetcher: Fetcher,
    issuer: String,
    keys: Jwks,
    outage: Outage,
    known: RwLock<Known>,
    /// Held by the one that fetches.
    turn: Mutex<()>,
}

#[derive(Debug, Clone)]
struct Known {
    list: Arc<List>,
    etag: Option<String>,
    /// When the request went out that this is the answer to.
    heard_at: Option<UnixMs>,
    tried_at: UnixMs,
    /// Why the last try gave none.
    failure: Option<Arc<FetchError>>,
}

#[derive(Debug, Default)]
struct List {
    sessions: HashSet<String>,
    keys: HashSet<String>,
    until: UnixMs,
}

impl Revocations {
    /// Asks nobody yet. `url` should be https, or lead through a network that is trusted: whoever can answer in
    /// the issuer's place can hold back an older list for three minutes.
    ///
    /// # Errors
    /// `url` is no address.
    pub fn new(url: &str, issuer: &str, keys: Jwks, outage: Outage) -> Result<Self, FetchError> {
        let known = Known { list: Arc::default(), etag: None, heard_at: None, tried_at: i64::MIN, failure: None };
        let (fetcher, issuer) = (Fetcher::new(url)?, issuer.to_owned());
        Ok(Self(Arc::new(Inner { fetcher, issuer, keys, outage, known: RwLock::new(known), turn: Mutex::new(()) })))
    }

    /// Whether neither the key nor the session has ended, as far as anybody could have heard.
    ///
    /// # Errors
    /// `Revoked`, or `NoRevocations` where the issuer gave no list for too long.
    pub async fn check(&self, kid: &str, sid: Option<&str>, now: UnixMs) -> Result<(), Error> {
        let mut known = self.0.known.read().clone();
        if known.may_ask(now) {
            let turn = match self.0.turn.try_lock() {
                Ok(turn) => Some(turn),
                Err(_) if known.is_younger(GOOD_MS, now) => None,
                Err(_) => Some(self.0.turn.lock().await),
            };
            if let Some(turn) = turn {
                known = self.ask(turn, now).await;
            }
        }
        known.check(self.0.outage, kid, sid, now)
    }

    /// Asks the issuer where the list at hand is not fresh. For those who judge what has begun long ago.
    pub async fn refresh(&self, now: UnixMs) {
        let stale = self.0.known.read().may_ask(now);
        if stale {
            let turn = self.0.turn.lock().await;
            self.ask(turn, now).await;
        }
    }

    /// When the issuer was last heard, unix milliseconds. `None`: never.
    pub fn heard_at(&self) -> Option<UnixMs> {
        self.0.known.read().heard_at
    }

    /// Whether the list at hand names the key or the session. Asks nobody.
    pub fn is_named(&self, kid: &str, sid: &str) -> bool {
        self.0.known.read().list.names(kid, Some(sid))
    }

    /// Fetches, unless that was done while we waited for our turn.
    async fn ask(&self, _turn: MutexGuard<'_, ()>, now: UnixMs) -> Known {
        let before = self.0.known.read().clone();
        if !before.may_ask(now) {
            return before;
        }
        let etag = before.etag.as_deref().filter(|_| now < before.list.until);
        let after = match self.fetch(etag, now).await {
            Ok(Some((list, etag))) => {
                Known { list: Arc::new(list), etag, heard_at: Some(now), tried_at: now, failure: None }
            }
            Ok(None) => Known { heard_at: Some(now), tried_at: now, failure: None, ..before },
            Err(error) => {
                tracing::warn!(cause = %error, "the issuer's list of what ended could not be fetched");
                Known { tried_at: now, failure: Some(Arc::new(error)), ..before }
            }
        };
        *self.0.known.write() = after.clone();
        after
    }

    async fn fetch(&self, etag: Option<&str>, now: UnixMs) -> Result<Option<(List, Option<String>)>, FetchError> {
        let Some((text, etag)) = self.0.fetcher.fetch_list(etag).await? else { return Ok(None) };
        let text = text.trim_end();
        let unverified = Unverified::parse(text, TYP, LONGEST_LIST).map_err(|_| FetchError::List)?;
        let key = self.0.keys.find_at_once(unverified.kid(), now).await.ok().flatten().ok_or(FetchError::List)?;
        let claims: Claims = unverified.claims(&key).map_err(|_| FetchError::List)?;
        let until = claims.exp.saturating_mul(1000).saturating_add(SKEW_MS);
        let begins = claims.iat.saturating_mul(1000).saturating_sub(SKEW_MS);
        if claims.iss != self.0.issuer || !(begins..until).contains(&now) {
            return Err(FetchError::List);
        }
        let (sessions, keys) = (claims.sessions.into_iter().collect(), claims.keys.into_iter().collect());
        Ok(Some((List { sessions, keys, until }, etag)))
    }
}

impl List {
    fn names(&self, kid: &str, sid: Option<&str>) -> bool {
        self.keys.contains(kid) || sid.is_some_and(|sid| self.sessions.contains(&mark(sid)))
    }
}

impl Known {
    fn is_younger(&self, ms: i64, now: UnixMs) -> bool {
        self.heard_at.is_some_and(|heard_at| (0..ms).contains(&now.saturating_sub(heard_at)))
    }

    fn may_ask(&self, now: UnixMs) -> bool {
        let pause = if self.failure.is_some() { RETRY_MS } else { 0 };
        // A clock that was set back would otherwise keep us waiting.
        let rested = now.saturating_sub(self.tried_at) >= pause || now < self.tried_at;
        !self.is_younger(FRESH_MS, now) && rested
    }

    fn check(&self, outage: Outage, kid: &str, sid: Option<&str>, now: UnixMs) -> Result<(), Error> {
        if self.list.names(kid, sid) {
            return Err(Error::Revoked);
        }
        let heard = match outage {
            Outage::Refuse { after_ms } => self.is_younger(after_ms.max(GOOD_MS), now),
            Outage::GoOn => true,
        };
        let failure = || self.failure.clone().unwrap_or_else(|| Arc::new(FetchError::Waiting));
        if heard { Ok(()) } else { Err(Error::NoRevocations(failure())) }
    }
}
