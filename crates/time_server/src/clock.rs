//! Time, and waiting for a time.

use domain::UnixMs;
use futures::future::BoxFuture;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

pub trait Clock: Send + Sync {
    /// Returns the time in unix nanoseconds.
    fn now_ns(&self) -> i64;

    /// Returns at that time or slightly earlier; check again.
    fn wait_until(&self, at: UnixMs) -> BoxFuture<'_, ()>;
}

impl dyn Clock + '_ {
    pub fn now(&self) -> UnixMs {
        millis(self.now_ns())
    }
}

/// Returns the time of unix nanoseconds.
pub(crate) fn millis(ns: i64) -> UnixMs {
    UnixMs::from_millis(ns.div_euclid(1_000_000))
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Maximum time until a changed clock is noticed.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    fn now_ns(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }

    fn wait_until(&self, at: UnixMs) -> BoxFuture<'_, ()> {
        let clock: &dyn Clock = self;
        let ms = u64::try_from(at.since(clock.now())).unwrap_or_default();
        Box::pin(tokio::time::sleep(Duration::from_millis(ms).min(LONGEST_WAIT)))
    }
}

/// A clock for tests that advances only when it is set.
#[derive(Debug)]
pub struct ManualClock(watch::Sender<i64>);

impl ManualClock {
    pub fn at(now: UnixMs) -> Self {
        Self(watch::Sender::new(now.as_millis() * 1_000_000))
    }

    pub fn advance(&self, ms: i64) {
        self.0.send_modify(|now| *now += ms * 1_000_000);
    }
}

impl Clock for ManualClock {
    fn now_ns(&self) -> i64 {
        *self.0.borrow()
    }

    fn wait_until(&self, at: UnixMs) -> BoxFuture<'_, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            // The sender belongs to this clock, so it is never dropped.
            let _ = now.wait_for(|now| millis(*now) >= at).await;
        })
    }
}
