//! A rate limit as one number: the generic cell rate algorithm (ITU-T I.371, virtual scheduling).

use crate::UnixMs;
use std::sync::atomic::{AtomicI64, Ordering};

/// A burst, refilled at a steady rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Maximum burst, at least 1.
    pub burst: u32,
    /// Milliseconds per refill, at least 1.
    pub every_ms: i64,
}

impl Rate {
    /// Allows `count` in each `window_ms`, all of which may come at once.
    pub fn per(count: u32, window_ms: i64) -> Self {
        let burst = count.max(1);
        Self { burst, every_ms: (window_ms / i64::from(burst)).max(1) }
    }

    /// Counts one event. `due_at` is the state that the last call returned, or 0.
    ///
    /// `Ok` has the new state; `Err` has the milliseconds to wait and leaves the state as it is.
    ///
    /// # Errors
    /// The event is over the limit.
    pub fn take(self, due_at: UnixMs, now: UnixMs) -> Result<UnixMs, i64> {
        let window = i64::from(self.burst) * self.every_ms;
        // No event leaves a state more than a window ahead, so the clock was set back. Start again.
        let due_at = if due_at > now + window { now } else { due_at };
        let due = due_at.max(now) + self.every_ms;
        let over = due - now - window;
        if over > 0 { Err(over) } else { Ok(due) }
    }
}

/// The state of a limit that several threads count.
#[derive(Debug, Default)]
pub struct RateCounter(AtomicI64);

impl RateCounter {
    /// Counts one event.
    ///
    /// # Errors
    /// Milliseconds to wait; the event is over the limit.
    pub fn take(&self, rate: Rate, now: UnixMs) -> Result<(), i64> {
        let mut wait = 0;
        let step = |due| rate.take(UnixMs::from_millis(due), now).map_err(|ms| wait = ms).ok().map(UnixMs::as_millis);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).map(drop).map_err(|_| wait)
    }

    /// Checks whether one event more is within the limit, and does not count it.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn check(&self, rate: Rate, now: UnixMs) -> Result<(), i64> {
        rate.take(self.due_at(), now).map(drop)
    }

    /// Takes back one event of this rate.
    pub fn give_back(&self, rate: Rate) {
        self.0.fetch_sub(rate.every_ms, Ordering::SeqCst);
    }

    /// Whether the whole burst is available again.
    pub fn is_full_again(&self, now: UnixMs) -> bool {
        self.due_at() <= now
    }

    fn due_at(&self) -> UnixMs {
        UnixMs::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_the_next_waits_and_time_refills() {
        let rate = Rate::per(30, 60_000);
        let mut due = UnixMs::EPOCH;
        for _ in 0..30 {
            due = rate.take(due, UnixMs::from_millis(1_000_000)).expect("within the burst");
        }
        assert_eq!(rate.take(due, UnixMs::from_millis(1_000_000)), Err(2000));
        assert!(rate.take(due, UnixMs::from_millis(1_002_000)).is_ok());
        assert!(rate.take(due, UnixMs::from_millis(1_001_999)).is_err());
    }

    #[test]
    fn a_clock_that_went_back_is_no_offence() {
        let rate = Rate::per(30, 60_000);
        let due = rate.take(UnixMs::EPOCH, UnixMs::from_millis(3_600_000)).expect("the first");
        let due = rate.take(due, UnixMs::EPOCH).expect("an hour earlier");
        assert!((0..29).try_fold(due, |due, _| rate.take(due, UnixMs::EPOCH)).is_ok(), "a whole burst");
    }
}
