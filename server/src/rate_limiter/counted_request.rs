//! The kinds of requests, the counters of one client, and a request that counts while it is in progress.

use domain::UnixMs;
use domain::rate::{Rate, RateCounter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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

/// The counters of one client.
#[derive(Debug, Default)]
pub(super) struct ClientCounters {
    /// Requests in flight.
    pub(super) sign_in: AtomicU32,
    pub(super) other: AtomicU32,
    /// States of the rate limits.
    pub(super) failed: RateCounter,
    pub(super) arrived: RateCounter,
    pub(super) metadata: RateCounter,
    pub(super) elsewhere: RateCounter,
    pub(super) shared: RateCounter,
    pub(super) refused: RateCounter,
    pub(super) unknown_tokens: RateCounter,
    pub(super) stored: RateCounter,
    pub(super) stored_elsewhere: RateCounter,
    pub(super) device_codes: RateCounter,
    pub(super) device_codes_at_address: RateCounter,
}

/// A request in progress; it counts until it is dropped.
#[derive(Debug)]
pub struct CountedRequest {
    pub(super) counter: Arc<ClientCounters>,
    class: RequestClass,
    failures: Option<Rate>,
    /// The rate that counted this arrival, if it may be forgiven.
    pub(super) arrival: Option<Rate>,
}

impl ClientCounters {
    /// Whether the bursts of all limits are available again.
    pub(super) fn is_full_again(&self, now: UnixMs) -> bool {
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
        states.iter().all(|state| state.is_full_again(now))
    }
}

impl CountedRequest {
    pub(super) fn begin(counter: Arc<ClientCounters>, class: RequestClass, failures: Option<Rate>) -> Self {
        let in_flight = Self { counter, class, failures, arrival: None };
        in_flight.count().fetch_add(1, Ordering::SeqCst);
        in_flight
    }

    /// Takes the count of an arrival back. Call it once.
    pub fn forgive(&self) {
        if let Some(rate) = self.arrival {
            self.counter.arrived.give_back(rate);
        }
    }

    /// Counts a failed sign-in.
    pub fn failed(&self, now: UnixMs) {
        if let Some(rate) = self.failures {
            // Several concurrent sign-ins may fail beyond the limit; the counter then stays at it.
            let _full = self.counter.failed.take(rate, now);
        }
    }

    pub(super) fn others(&self) -> u32 {
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
