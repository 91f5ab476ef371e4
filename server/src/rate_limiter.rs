//! Rate limits on clients, counted in the memory of this process.
//!
//! A limit counts arrivals and failures, never the time that this server takes to answer. Only the strict preset counts
//! requests in flight.

mod counted_request;

pub(crate) use counted_request::{CountedRequest, RequestClass};

use self::counted_request::ClientCounters;
use crate::bounded;
use domain::UnixMs;
use domain::ban::RateLimits;
use domain::client_key::ClientKey;
use domain::rate::Rate;
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const MINUTE_MS: i64 = 60_000;
/// Number of client keys that are counted.
const COUNTED: usize = 100_000;
/// Factor by which all known devices and sessions at one address together may exceed an address's limit.
const SHARED: u32 = 10;
/// Maximum number of waiting sign-ins from one account's devices.
const SHARE_AT_ONCE: u32 = 8;
/// Signatures of unknown tokens that are verified for one address: burst, and per second.
const UNKNOWN_TOKENS: Rate = Rate { burst: 200, every_ms: 50 };
/// Requests without a secret that each store a row: burst, and per second.
const STORED_REQUESTS: Rate = Rate { burst: 60, every_ms: 1000 };
/// Wrong codes of devices that the sessions of one account type: burst, and one a minute.
const DEVICE_CODES: Rate = Rate { burst: 10, every_ms: MINUTE_MS };
/// Wrong codes of devices from one address: burst, and ten a minute.
const DEVICE_CODES_AT_ADDRESS: Rate = Rate { burst: 100, every_ms: MINUTE_MS / 10 };
/// Waiting time sent to a sign-in when the queue is full. A queue of [`RateLimits::DEFAULT`] is served within some 20 s.
const QUEUE_MS: i64 = 10_000;
/// Spreads the waiting times of clients over this many seconds, so that they do not return together.
const SPREAD: u32 = 16;

/// A bounded table of counters by client key.
#[derive(Debug)]
pub struct RateLimiter {
    limits: RateLimits,
    counters: Cache<ClientKey, Arc<ClientCounters>>,
    refused: AtomicU32,
}

/// The exceeded limit, as evidence for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedLimit {
    AtOnce(u32),
    PerMinute(u32),
    /// Requests that continued after refusals.
    Refused(u32),
}

/// A request over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitExceeded {
    pub limit: PassedLimit,
    pub wait_ms: i64,
    /// Whether a ban is due.
    pub offence: bool,
}

impl RateLimiter {
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, counters: Cache::new(COUNTED), refused: AtomicU32::default() }
    }

    fn counter(&self, client_key: ClientKey) -> Arc<ClientCounters> {
        bounded::entry(&self.counters, &client_key, Arc::default)
    }

    /// Counts a request.
    ///
    /// # Errors
    /// The client exceeded a limit.
    pub fn enter(
        &self,
        client_key: ClientKey,
        class: RequestClass,
        now: UnixMs,
    ) -> Result<CountedRequest, LimitExceeded> {
        let counter = self.counter(client_key);
        match self.limits.refused_per_minute {
            None => self.enter_strict(counter, class, now),
            Some(refused_per_minute) => self.enter_lenient(counter, class, now, refused_per_minute),
        }
    }

    fn enter_lenient(
        &self,
        counter: Arc<ClientCounters>,
        class: RequestClass,
        now: UnixMs,
        refused_per_minute: u32,
    ) -> Result<CountedRequest, LimitExceeded> {
        let limits = &self.limits;
        let arrivals = Rate { burst: limits.at_once, every_ms: every_ms(limits.per_minute) };
        let failures = Rate::per(limits.sign_in_per_minute, MINUTE_MS);
        let (passed, limit) = match class {
            RequestClass::SignIn => {
                (counter.failed.check(failures, now), PassedLimit::PerMinute(limits.sign_in_per_minute))
            }
            RequestClass::Challenge | RequestClass::Other => {
                (counter.arrived.take(arrivals, now), PassedLimit::PerMinute(limits.per_minute))
            }
            RequestClass::Metadata => (counter.metadata.take(arrivals, now), PassedLimit::PerMinute(limits.per_minute)),
            RequestClass::Elsewhere => {
                (counter.elsewhere.take(arrivals, now), PassedLimit::PerMinute(limits.per_minute))
            }
            RequestClass::Shared => {
                let burst = arrivals.burst.saturating_mul(SHARED);
                let all = Rate { burst, every_ms: every_ms(limits.per_minute.saturating_mul(SHARED)) };
                (counter.shared.take(all, now), PassedLimit::PerMinute(limits.per_minute))
            }
        };
        if let Err(wait_ms) = passed {
            let harmless = matches!(class, RequestClass::Elsewhere | RequestClass::Shared | RequestClass::Metadata);
            let offence = !harmless && counter.refused.take(Rate::per(refused_per_minute, MINUTE_MS), now).is_err();
            let limit = if offence { PassedLimit::Refused(refused_per_minute) } else { limit };
            return Err(LimitExceeded { limit, wait_ms: wait_ms + self.spread(), offence });
        }
        // Otherwise preflights of a hostile page, which get 405, would use up its visitor's sign-ins.
        let failures = (class != RequestClass::Elsewhere).then_some(failures);
        let mut in_flight = CountedRequest::begin(counter, class, failures);
        if matches!(class, RequestClass::Challenge | RequestClass::Other) {
            in_flight.arrival = Some(arrivals);
        }
        if class == RequestClass::SignIn && in_flight.others() >= limits.sign_in_at_once {
            // They wait because this server is slow, so this is not an offence.
            let limit = PassedLimit::AtOnce(limits.sign_in_at_once);
            return Err(LimitExceeded { limit, wait_ms: QUEUE_MS + self.spread(), offence: false });
        }
        Ok(in_flight)
    }

    /// Applies the strict preset: too many concurrent requests from one address ban it.
    fn enter_strict(
        &self,
        counter: Arc<ClientCounters>,
        class: RequestClass,
        now: UnixMs,
    ) -> Result<CountedRequest, LimitExceeded> {
        let limits = &self.limits;
        let excess = |limit| LimitExceeded { limit, wait_ms: 1000, offence: true };
        let in_flight = CountedRequest::begin(counter, class, None);
        let limit = match class {
            RequestClass::SignIn | RequestClass::Challenge => limits.sign_in_at_once,
            RequestClass::Other => limits.at_once,
            RequestClass::Elsewhere | RequestClass::Shared | RequestClass::Metadata => return Ok(in_flight),
        };
        if in_flight.others() >= limit {
            return Err(excess(PassedLimit::AtOnce(limit)));
        }
        let rate = Rate::per(limits.sign_in_per_minute, MINUTE_MS);
        if class != RequestClass::Other && in_flight.counter.failed.take(rate, now).is_err() {
            return Err(excess(PassedLimit::PerMinute(limits.sign_in_per_minute)));
        }
        Ok(in_flight)
    }

    /// Counts a sign-in from an account's known devices together.
    ///
    /// # Errors
    /// The maximum for that account is waiting.
    pub fn enter_share(&self, share: ClientKey) -> Result<CountedRequest, LimitExceeded> {
        let counter = self.counter(share);
        let in_flight = CountedRequest::begin(counter, RequestClass::SignIn, None);
        if in_flight.others() >= SHARE_AT_ONCE {
            let limit = PassedLimit::AtOnce(SHARE_AT_ONCE);
            return Err(LimitExceeded { limit, wait_ms: 1000 + self.spread(), offence: false });
        }
        Ok(in_flight)
    }

    /// Whether the signature of another unknown token may be verified for this address.
    pub fn may_check_token(&self, address: ClientKey, now: UnixMs) -> bool {
        let counter = self.counter(address);
        counter.unknown_tokens.take(UNKNOWN_TOKENS, now).is_ok()
    }

    /// Counts a request without a secret that stores a row. `elsewhere`: a page of another origin may have caused it,
    /// so that it does not count against the client.
    ///
    /// # Errors
    /// Milliseconds to wait.
    pub fn enter_stored(&self, client_key: ClientKey, elsewhere: bool, now: UnixMs) -> Result<(), i64> {
        let counter = self.counter(client_key);
        let stored = if elsewhere { &counter.stored_elsewhere } else { &counter.stored };
        stored.take(STORED_REQUESTS, now).map_err(|wait_ms| wait_ms + self.spread())
    }

    /// Counts a typed code of a device as a wrong one, by account and by address, until [`Self::forgive_device_code`]
    /// takes it back. Concurrent guesses are therefore all counted.
    ///
    /// # Errors
    /// Milliseconds to wait.
    pub fn enter_device_code(&self, account: ClientKey, address: ClientKey, now: UnixMs) -> Result<(), i64> {
        let (own, shared) = (self.counter(account), self.counter(address));
        own.device_codes.take(DEVICE_CODES, now)?;
        let taken = shared.device_codes_at_address.take(DEVICE_CODES_AT_ADDRESS, now);
        taken.inspect_err(|_| own.device_codes.give_back(DEVICE_CODES))
    }

    /// Takes the count back, because the code was right. Call it once.
    pub fn forgive_device_code(&self, account: ClientKey, address: ClientKey) {
        self.counter(account).device_codes.give_back(DEVICE_CODES);
        self.counter(address).device_codes_at_address.give_back(DEVICE_CODES_AT_ADDRESS);
    }

    /// Returns how many sign-ins of a client are in progress.
    pub fn waiting(&self, client_key: ClientKey) -> u32 {
        self.counters.get(&client_key).map_or(0, |counter| counter.sign_in.load(Ordering::SeqCst))
    }

    /// Removes clients whose counters say no more than new ones.
    pub fn sweep(&self, now: UnixMs) {
        self.counters.retain(|_, counter| Arc::strong_count(counter) > 1 || !counter.is_full_again(now));
    }

    fn spread(&self) -> i64 {
        i64::from(self.refused.fetch_add(1, Ordering::Relaxed) % SPREAD) * 1000
    }
}

fn every_ms(per_minute: u32) -> i64 {
    (MINUTE_MS / i64::from(per_minute.max(1))).max(1)
}

impl std::fmt::Display for PassedLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtOnce(limit) => write!(f, "more than {limit} requests at once"),
            Self::PerMinute(limit) => write!(f, "more than {limit} requests a minute"),
            Self::Refused(limit) => write!(f, "more than {limit} requests a minute that were refused before"),
        }
    }
}

#[cfg(test)]
mod tests;
