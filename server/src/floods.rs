//! How much an identity asks at once: counted in memory, in this process.

use domain::UnixMs;
use domain::ban::Limits;
use domain::identity::Identity;
use domain::rate::Rate;
use moka::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

/// What a request is to the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Challenge, login and sign-up.
    SignIn,
    Other,
}

/// A bounded table of counters by identity.
#[derive(Debug)]
pub struct Floods {
    limits: Limits,
    counters: Cache<Identity, Arc<Counter>>,
}

#[derive(Debug, Default)]
struct Counter {
    sign_in: AtomicU32,
    other: AtomicU32,
    due_at: AtomicI64,
}

/// A request that is being answered; counts until it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Counter>, Class);

/// Which limit was passed: an operator reads it as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    AtOnce(u32),
    PerMinute(u32),
}

impl Floods {
    pub fn new(limits: Limits) -> Self {
        let counters = Cache::builder().max_capacity(200_000).time_to_idle(Duration::from_mins(3)).build();
        Self { limits, counters }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// The identity is over a limit.
    pub fn enter(&self, identity: Identity, class: Class, now: UnixMs) -> Result<InFlight, Flood> {
        let counter = self.counters.get_with(identity, Arc::default);
        let (count, limit) = match class {
            Class::SignIn => (&counter.sign_in, self.limits.sign_in_at_once),
            Class::Other => (&counter.other, self.limits.at_once),
        };
        let others = count.fetch_add(1, Ordering::SeqCst);
        let in_flight = InFlight(Arc::clone(&counter), class);
        if others >= limit {
            return Err(Flood::AtOnce(limit));
        }
        if class == Class::SignIn {
            let rate = Rate::per(self.limits.sign_in_per_minute, 60_000);
            let step = |due| rate.take(due, now).ok();
            if counter.due_at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).is_err() {
                return Err(Flood::PerMinute(self.limits.sign_in_per_minute));
            }
        }
        Ok(in_flight)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let count = match self.1 {
            Class::SignIn => &self.0.sign_in,
            Class::Other => &self.0.other,
        };
        count.fetch_sub(1, Ordering::SeqCst);
    }
}

impl std::fmt::Display for Flood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtOnce(limit) => write!(f, "more than {limit} requests at once"),
            Self::PerMinute(limit) => write!(f, "more than {limit} sign-in requests a minute"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_once_and_per_minute() {
        let floods = Floods::new(Limits { sign_in_at_once: 2, sign_in_per_minute: 3, at_once: 1 });
        let who = "203.0.113.7".parse().expect("an identity");
        let first = floods.enter(who, Class::SignIn, 0).expect("first");
        let second = floods.enter(who, Class::SignIn, 0).expect("second");
        assert_eq!(floods.enter(who, Class::SignIn, 0).expect_err("third"), Flood::AtOnce(2));
        drop((first, second));
        drop(floods.enter(who, Class::SignIn, 0).expect("after the others left"));
        assert_eq!(floods.enter(who, Class::SignIn, 0).expect_err("fourth in a minute"), Flood::PerMinute(3));
        drop(floods.enter(who, Class::SignIn, 20_000).expect("refilled"));
        let _held = floods.enter(who, Class::Other, 0).expect("other");
        assert_eq!(floods.enter(who, Class::Other, 0).expect_err("other"), Flood::AtOnce(1));
    }
}
