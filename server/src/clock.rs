//! The clock of the portal. The time server, the terminal client and the verifier have clocks of their own.

use domain::UnixMs;
use domain::following::Moment;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A source of the current time.
pub trait Clock: Send + Sync {
    fn now(&self) -> UnixMs;

    /// Returns the milliseconds since some start, by a clock that nobody sets.
    fn steady(&self) -> i64;

    fn moment(&self) -> Moment {
        Moment { unix: self.now(), steady: self.steady() }
    }
}

/// The start of the steady clock.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> i64 {
        i64::try_from(START.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock for tests that advances only on request.
#[derive(Debug, Default)]
pub struct ManualClock {
    unix: AtomicI64,
    steady: AtomicI64,
}

impl ManualClock {
    pub fn at(now: UnixMs) -> Self {
        Self { unix: AtomicI64::new(now.as_millis()), steady: AtomicI64::default() }
    }

    /// Lets time pass; a negative number sets the clock of the day back.
    pub fn advance(&self, ms: i64) {
        self.steady.fetch_add(ms.max(0), Ordering::SeqCst);
        self.set(ms);
    }

    /// Sets the clock of the day forward or back; no time passes.
    pub fn set(&self, ms: i64) {
        self.unix.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMs {
        UnixMs::from_millis(self.unix.load(Ordering::SeqCst))
    }

    fn steady(&self) -> i64 {
        self.steady.load(Ordering::SeqCst)
    }
}
