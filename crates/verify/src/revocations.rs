//! The issuer's revocation list, fetched every two seconds while tokens are checked.

use crate::error::TokenError;
use crate::fetch::{FetchError, Fetcher};
use crate::jwks::Jwks;
use crate::token::UnverifiedToken;
use domain::revocation::mark;
use domain::{UnixMs, UnixSeconds};
use parking_lot::RwLock;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};
use wire::revocations::{RevocationClaims, TYP};

/// Age at which the list is fetched again.
const FRESH_MS: i64 = 2_000;
/// Age up to which it is sufficient for callers that would wait for another's request.
const GOOD_MS: i64 = 3_000;
/// Minimum interval between failed requests.
const RETRY_MS: i64 = 1_000;
/// Clock tolerance.
const SKEW_MS: i64 = 30_000;
const LONGEST_LIST: usize = 4 * 1024 * 1024;

/// The policy while no list is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutagePolicy {
    /// The last list is used for this many milliseconds; after that no token is accepted.
    Refuse { after_ms: i64 },
    /// The last list is used until there is another. Tokens that are revoked meanwhile are accepted until they expire,
    /// at most five minutes for access tokens.
    GoOn,
}

impl Default for OutagePolicy {
    /// Returns the default, which refuses after half a minute. That is enough for a restart of the auth server.
    fn default() -> Self {
        Self::Refuse { after_ms: 30_000 }
    }
}

/// The issuer's list of ended sessions and revoked keys, fetched on demand by one request at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fetcher: Fetcher,
    issuer: String,
    keys: Jwks,
    outage: OutagePolicy,
    known: RwLock<KnownList>,
    /// Locked during a request.
    turn: Mutex<()>,
}

#[derive(Debug, Clone)]
struct KnownList {
    list: Arc<List>,
    etag: Option<String>,
    /// The time when the request for this answer was sent.
    answered_at: Option<UnixMs>,
    tried_at: UnixMs,
    /// The reason why the last request failed.
    failure: Option<Arc<FetchError>>,
}

#[derive(Debug, Default)]
struct List {
    sessions: HashSet<String>,
    keys: HashSet<String>,
    until: UnixMs,
}

impl Revocations {
    /// Creates an empty list. `url` should be https or on a trusted network, because a server at that URL can withhold
    /// newer lists for three minutes.
    ///
    /// # Errors
    /// `url` is not a URL.
    pub fn new(url: &str, issuer: &str, keys: Jwks, outage: OutagePolicy) -> Result<Self, FetchError> {
        let known =
            KnownList { list: Arc::default(), etag: None, answered_at: None, tried_at: UnixMs::MIN, failure: None };
        let (fetcher, issuer) = (Fetcher::new(url)?, issuer.to_owned());
        Ok(Self(Arc::new(Inner { fetcher, issuer, keys, outage, known: RwLock::new(known), turn: Mutex::new(()) })))
    }

    /// Whether neither the key nor the session has ended, as far as known.
    ///
    /// # Errors
    /// `Revoked`, or `NoRevocations` if no list was available for too long.
    pub async fn check(&self, kid: &str, sid: Option<&str>, now: UnixMs) -> Result<(), TokenError> {
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

    /// Fetches the list if it is not fresh, for long-lived connections.
    pub async fn refresh(&self, now: UnixMs) {
        let stale = self.0.known.read().may_ask(now);
        if stale {
            let turn = self.0.turn.lock().await;
            self.ask(turn, now).await;
        }
    }

    /// Returns when the last request was sent. `None`: never.
    pub fn answered_at(&self) -> Option<UnixMs> {
        self.0.known.read().answered_at
    }

    /// Whether the current list contains the key or the session. Sends no request.
    pub fn is_named(&self, kid: &str, sid: &str) -> bool {
        self.0.known.read().list.names(kid, Some(sid))
    }

    /// Fetches, unless another caller has done so while this one waited.
    async fn ask(&self, _turn: MutexGuard<'_, ()>, now: UnixMs) -> KnownList {
        let before = self.0.known.read().clone();
        if !before.may_ask(now) {
            return before;
        }
        let etag = before.etag.as_deref().filter(|_| now < before.list.until);
        let after = match self.fetch(etag, now).await {
            Ok(Some((list, etag))) => {
                KnownList { list: Arc::new(list), etag, answered_at: Some(now), tried_at: now, failure: None }
            }
            Ok(None) => KnownList { answered_at: Some(now), tried_at: now, failure: None, ..before },
            Err(error) => {
                tracing::warn!(cause = %error, "the issuer's revocation list could not be fetched");
                KnownList { tried_at: now, failure: Some(Arc::new(error)), ..before }
            }
        };
        *self.0.known.write() = after.clone();
        after
    }

    async fn fetch(&self, etag: Option<&str>, now: UnixMs) -> Result<Option<(List, Option<String>)>, FetchError> {
        let Some((text, etag)) = self.0.fetcher.fetch_list(etag).await? else { return Ok(None) };
        let text = text.trim_end();
        let unverified = UnverifiedToken::parse(text, TYP, LONGEST_LIST).map_err(|_| FetchError::List)?;
        let key = self.0.keys.find_at_once(unverified.kid(), now).await.ok().flatten().ok_or(FetchError::List)?;
        let claims: RevocationClaims = unverified.claims(&key).map_err(|_| FetchError::List)?;
        let until = UnixSeconds::from_seconds(claims.exp).to_millis() + SKEW_MS;
        let begins = UnixSeconds::from_seconds(claims.iat).to_millis() - SKEW_MS;
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

impl KnownList {
    fn is_younger(&self, ms: i64, now: UnixMs) -> bool {
        self.answered_at.is_some_and(|answered_at| (0..ms).contains(&now.since(answered_at)))
    }

    fn may_ask(&self, now: UnixMs) -> bool {
        let pause = if self.failure.is_some() { RETRY_MS } else { 0 };
        // If the clock was set back, do not wait too long.
        let rested = now.since(self.tried_at) >= pause || now < self.tried_at;
        !self.is_younger(FRESH_MS, now) && rested
    }

    fn check(&self, outage: OutagePolicy, kid: &str, sid: Option<&str>, now: UnixMs) -> Result<(), TokenError> {
        if self.list.names(kid, sid) {
            return Err(TokenError::Revoked);
        }
        let fetched = match outage {
            OutagePolicy::Refuse { after_ms } => self.is_younger(after_ms.max(GOOD_MS), now),
            OutagePolicy::GoOn => true,
        };
        let failure = || self.failure.clone().unwrap_or_else(|| Arc::new(FetchError::Waiting));
        if fetched { Ok(()) } else { Err(TokenError::NoRevocations(failure())) }
    }
}
