//! Rate limits on clients, counted in the memory of this process.
//!
//! A limit counts arrivals and failures, never the time that this server takes to answer. Only the strict preset counts
//! requests in flight.

use domain::UnixMs;
use domain::ban::RateLimits;
use domain::client_key::ClientKey;
use domain::rate::Rate;
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

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

/// The kind of a request for the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestClass {
    /// An encrypted message: sign-in, sign-up, new passwords.
    SignIn,
    /// A request for a challenge. It costs no more than a page.
    Challenge,
    Other,
    /// A read of a public document. It has a limit of its own, which never bans.
    Metadata,
    /// A request that a page of another origin can cause. It never counts against the client.
    Elsewhere,
    /// All requests of known devices and sessions at one address.
    Shared,
}

/// A bounded table of counters by client key.
#[derive(Debug)]
pub struct RateLimiter {
    limits: RateLimits,
    counters: Cache<ClientKey, Arc<ClientCounters>>,
    refused: AtomicU32,
}

#[derive(Debug, Default)]
struct ClientCounters {
    /// Requests in flight.
    sign_in: AtomicU32,
    other: AtomicU32,
    /// States of the rate limits.
    failed: AtomicI64,
    arrived: AtomicI64,
    metadata: AtomicI64,
    elsewhere: AtomicI64,
    shared: AtomicI64,
    refused: AtomicI64,
    unknown_tokens: AtomicI64,
    stored: AtomicI64,
    stored_elsewhere: AtomicI64,
    device_codes: AtomicI64,
    device_codes_at_address: AtomicI64,
}

/// A request in progress; it counts until it is dropped.
#[derive(Debug)]
pub struct CountedRequest {
    counter: Arc<ClientCounters>,
    class: RequestClass,
    failures: Option<Rate>,
    /// Milliseconds by which this arrival has moved its counter.
    arrival_ms: i64,
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
        let Ok(counter) = self.counters.get_or_insert_with(&client_key, || Ok::<_, Infallible>(Arc::default()));
        counter
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
                let failed = UnixMs::from_millis(counter.failed.load(Ordering::SeqCst));
                (failures.take(failed, now).map(drop), PassedLimit::PerMinute(limits.sign_in_per_minute))
            }
            RequestClass::Challenge | RequestClass::Other => {
                (take(&counter.arrived, arrivals, now), PassedLimit::PerMinute(limits.per_minute))
            }
            RequestClass::Metadata => {
                (take(&counter.metadata, arrivals, now), PassedLimit::PerMinute(limits.per_minute))
            }
            RequestClass::Elsewhere => {
                (take(&counter.elsewhere, arrivals, now), PassedLimit::PerMinute(limits.per_minute))
            }
            RequestClass::Shared => {
                let burst = arrivals.burst.saturating_mul(SHARED);
                let all = Rate { burst, every_ms: every_ms(limits.per_minute.saturating_mul(SHARED)) };
                (take(&counter.shared, all, now), PassedLimit::PerMinute(limits.per_minute))
            }
        };
        if let Err(wait_ms) = passed {
            let harmless = matches!(class, RequestClass::Elsewhere | RequestClass::Shared | RequestClass::Metadata);
            let offence = !harmless && take(&counter.refused, Rate::per(refused_per_minute, MINUTE_MS), now).is_err();
            let limit = if offence { PassedLimit::Refused(refused_per_minute) } else { limit };
            return Err(LimitExceeded { limit, wait_ms: wait_ms + self.spread(), offence });
        }
        let mut in_flight = CountedRequest::begin(counter, class, Some(failures));
        if matches!(class, RequestClass::Challenge | RequestClass::Other) {
            in_flight.arrival_ms = arrivals.every_ms;
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
        if class != RequestClass::Other && take(&in_flight.counter.failed, rate, now).is_err() {
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
        take(&counter.unknown_tokens, UNKNOWN_TOKENS, now).is_ok()
    }

    /// Counts a request without a secret that stores a row. `elsewhere`: a page of another origin may have caused it,
    /// so that it does not count against the client.
    ///
    /// # Errors
    /// Milliseconds to wait.
    pub fn enter_stored(&self, client_key: ClientKey, elsewhere: bool, now: UnixMs) -> Result<(), i64> {
        let counter = self.counter(client_key);
        let stored = if elsewhere { &counter.stored_elsewhere } else { &counter.stored };
        take(stored, STORED_REQUESTS, now).map_err(|wait_ms| wait_ms + self.spread())
    }

    /// Counts a typed code of a device as a wrong one, by account and by address, until [`Self::forgive_device_code`]
    /// takes it back. Concurrent guesses are therefore all counted.
    ///
    /// # Errors
    /// Milliseconds to wait.
    pub fn enter_device_code(&self, account: ClientKey, address: ClientKey, now: UnixMs) -> Result<(), i64> {
        let (own, shared) = (self.counter(account), self.counter(address));
        take(&own.device_codes, DEVICE_CODES, now)?;
        take(&shared.device_codes_at_address, DEVICE_CODES_AT_ADDRESS, now).inspect_err(|_| {
            own.device_codes.fetch_sub(DEVICE_CODES.every_ms, Ordering::SeqCst);
        })
    }

    /// Takes the count back, because the code was right. Call it once.
    pub fn forgive_device_code(&self, account: ClientKey, address: ClientKey) {
        self.counter(account).device_codes.fetch_sub(DEVICE_CODES.every_ms, Ordering::SeqCst);
        let shared = self.counter(address);
        shared.device_codes_at_address.fetch_sub(DEVICE_CODES_AT_ADDRESS.every_ms, Ordering::SeqCst);
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

impl ClientCounters {
    /// Whether the bursts of all limits are available again.
    fn is_full_again(&self, now: UnixMs) -> bool {
        let states = [
            &self.failed,
            &self.arrived,
            &self.metadata,
            &self.elsewhere,
            &self.shared,
            &self.refused,
            &self.unknown_tokens,
            &self.stored,
            &self.stored_elsewhere,
            &self.device_codes,
            &self.device_codes_at_address,
        ];
        states.iter().all(|due_at| due_at.load(Ordering::SeqCst) <= now.as_millis())
    }
}

impl CountedRequest {
    fn begin(counter: Arc<ClientCounters>, class: RequestClass, failures: Option<Rate>) -> Self {
        let in_flight = Self { counter, class, failures, arrival_ms: 0 };
        in_flight.count().fetch_add(1, Ordering::SeqCst);
        in_flight
    }

    /// Takes the count of an arrival back. Call it once.
    pub fn forgive(&self) {
        self.counter.arrived.fetch_sub(self.arrival_ms, Ordering::SeqCst);
    }

    /// Counts a failed sign-in.
    pub fn failed(&self, now: UnixMs) {
        if let Some(rate) = self.failures {
            // Several concurrent sign-ins may fail beyond the limit; the counter then stays at it.
            let _full = take(&self.counter.failed, rate, now);
        }
    }

    fn others(&self) -> u32 {
        self.count().load(Ordering::SeqCst).saturating_sub(1)
    }

    fn count(&self) -> &AtomicU32 {
        match self.class {
            RequestClass::SignIn | RequestClass::Challenge => &self.counter.sign_in,
            RequestClass::Other | RequestClass::Metadata | RequestClass::Elsewhere | RequestClass::Shared => {
                &self.counter.other
            }
        }
    }
}

impl Drop for CountedRequest {
    fn drop(&mut self) {
        self.count().fetch_sub(1, Ordering::SeqCst);
    }
}

fn every_ms(per_minute: u32) -> i64 {
    (MINUTE_MS / i64::from(per_minute.max(1))).max(1)
}

fn take(state: &AtomicI64, rate: Rate, now: UnixMs) -> Result<(), i64> {
    let mut wait = 0;
    let step = |due| rate.take(UnixMs::from_millis(due), now).map_err(|ms| wait = ms).ok().map(UnixMs::as_millis);
    state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).map(drop).map_err(|_| wait)
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
mod tests {
    use super::*;

    fn who() -> ClientKey {
        "203.0.113.7".parse().expect("an identity")
    }

    fn limits(refused_per_minute: Option<u32>) -> RateLimits {
        RateLimits { sign_in_at_once: 2, sign_in_per_minute: 3, at_once: 4, per_minute: 60, refused_per_minute }
    }

    #[test]
    fn strictly_at_once_and_per_minute() {
        let floods = RateLimiter::new(limits(None));
        let first = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("first");
        let second = floods.enter(who(), RequestClass::Challenge, UnixMs::EPOCH).expect("second");
        let third = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("third");
        assert_eq!((third.limit, third.offence), (PassedLimit::AtOnce(2), true));
        drop((first, second));
        drop(floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("after the others left"));
        let fourth = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("fourth in a minute");
        assert_eq!((fourth.limit, fourth.offence), (PassedLimit::PerMinute(3), true));
        drop(floods.enter(who(), RequestClass::SignIn, UnixMs::from_millis(20_000)).expect("refilled"));
        let held: Vec<_> =
            (0..4).map(|_| floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("other")).collect();
        assert_eq!(
            floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect_err("other").limit,
            PassedLimit::AtOnce(4)
        );
        drop(held);
    }

    #[test]
    fn successes_are_not_counted_and_failures_must_wait() {
        let floods = RateLimiter::new(limits(Some(5)));
        for _ in 0..1000 {
            drop(floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("succeeds"));
        }
        for _ in 0..3 {
            floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("within the limit").failed(UnixMs::EPOCH);
        }
        for _ in 0..5 {
            let over = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("over the limit");
            assert!(!over.offence && over.wait_ms >= 20_000, "{over:?}");
        }
        let last =
            floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("the sixth failure is an offence");
        assert_eq!((last.limit, last.offence), (PassedLimit::Refused(5), true));
        assert!(floods.enter(who(), RequestClass::SignIn, UnixMs::from_millis(20_000)).is_ok(), "refilled");
    }

    #[test]
    fn an_arrival_that_is_forgiven_counts_for_nobody() {
        let floods = RateLimiter::new(limits(Some(5)));
        for _ in 0..1000 {
            floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("forgiven").forgive();
        }
        for _ in 0..4 {
            drop(floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("within the burst"));
        }
        assert!(floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).is_err(), "and no more than that");
    }

    #[test]
    fn a_client_is_forgotten_when_its_limits_are_full_again() {
        let floods = RateLimiter::new(limits(Some(5)));
        let held = floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("within the burst");
        floods.sweep(UnixMs::from_millis(MINUTE_MS));
        assert_eq!(floods.counters.len(), 1, "a request is in progress");
        drop(held);
        floods.sweep(UnixMs::from_millis(1));
        assert_eq!(floods.counters.len(), 1, "its arrival counts");
        floods.sweep(UnixMs::from_millis(MINUTE_MS));
        assert_eq!(floods.counters.len(), 0);
    }

    #[test]
    fn a_full_queue_and_requests_from_elsewhere_are_no_offence() {
        let floods = RateLimiter::new(limits(Some(1)));
        let held: Vec<_> =
            (0..2).map(|_| floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("waits")).collect();
        for _ in 0..100 {
            assert!(!floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("full").offence);
        }
        drop(held);
        let refused = (0..100).filter_map(|_| floods.enter(who(), RequestClass::Elsewhere, UnixMs::EPOCH).err());
        assert!(refused.clone().count() > 90 && refused.into_iter().all(|excess| !excess.offence));
        for _ in 0..4 {
            drop(
                floods
                    .enter(who(), RequestClass::Other, UnixMs::EPOCH)
                    .expect("the person's own requests do not share that limit"),
            );
        }
    }

    #[test]
    fn an_account_has_one_share_however_many_devices() {
        let floods = RateLimiter::new(RateLimits::DEFAULT);
        let held: Vec<_> = (0..8).map(|_| floods.enter_share(who()).expect("waits")).collect();
        assert!(!floods.enter_share(who()).expect_err("the ninth").offence);
        drop(held);
        assert!(floods.enter_share(who()).is_ok());
    }
}
