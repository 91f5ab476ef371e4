//! Counts the bytes of one connection, and how long its peer kept us waiting.

use futures::task::AtomicWaker;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

/// The minimum speed of a connection's peer while we wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumRate {
    /// Maximum time without any progress.
    pub stall: Duration,
    /// Bytes per second, on average over the waiting time. The first `stall` is free.
    pub min_rate: u64,
}

impl Default for MinimumRate {
    /// Returns the default: half a minute without a byte, and then the speed of the slowest mobile network.
    fn default() -> Self {
        Self { stall: Duration::from_secs(30), min_rate: 256 }
    }
}

impl MinimumRate {
    /// Whether a wait is too slow: `now_ms` of it so far, `all_ms` of all waits, and `bytes` transferred.
    pub(crate) fn is_missed(self, now_ms: u64, all_ms: u64, bytes: u64) -> bool {
        let stall = self.stall_ms();
        now_ms > stall || bytes.saturating_mul(1000) < self.min_rate.saturating_mul(all_ms.saturating_sub(stall))
    }

    pub(crate) fn stall_ms(self) -> u64 {
        u64::try_from(self.stall.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Bytes in one direction, and the time of waiting for them. Times are milliseconds of the clock of
/// [`crate::ConnectionLimits`]. Only one task writes; any may read.
#[derive(Debug, Default)]
pub(crate) struct FlowMeter {
    bytes: AtomicU64,
    /// Start of the current wait plus one; 0: not waiting.
    since: AtomicU64,
    waited: AtomicU64,
}

impl FlowMeter {
    /// Creates a flow that is waited for from `now`.
    pub(crate) fn waiting(now: u64) -> Self {
        Self { since: AtomicU64::new(now + 1), ..Self::default() }
    }

    pub(crate) fn waits(&self, now: u64) {
        if self.since.load(Ordering::Relaxed) == 0 {
            self.since.store(now + 1, Ordering::Relaxed);
        }
    }

    pub(crate) fn moved(&self, bytes: usize, now: u64) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.rests(now);
    }

    /// Ends the wait, because nothing is outstanding.
    pub(crate) fn rests(&self, now: u64) {
        let since = self.since.load(Ordering::Relaxed);
        if since != 0 {
            self.since.store(0, Ordering::Relaxed);
            self.waited.fetch_add((now + 1).saturating_sub(since), Ordering::Relaxed);
        }
    }

    pub(crate) fn is_too_slow(&self, minimum_rate: MinimumRate, now: u64) -> bool {
        let since = self.since.load(Ordering::Relaxed);
        if since == 0 {
            return false;
        }
        let this = (now + 1).saturating_sub(since);
        let all = self.waited.load(Ordering::Relaxed).saturating_add(this);
        minimum_rate.is_missed(this, all, self.bytes.load(Ordering::Relaxed))
    }
}

/// One connection, as [`crate::ConnectionLimits`] sees it.
#[derive(Debug)]
pub(crate) struct ConnectionMeter {
    /// Milliseconds, set by the sweep, so that reading needs no system call.
    clock: Arc<AtomicU64>,
    pub(crate) written: FlowMeter,
    /// HTTP/2 responses whose window may be closed. Empty for HTTP/1.1, where `written` is sufficient.
    responses: Mutex<Vec<Weak<FlowMeter>>>,
    /// Requests in progress; an upgraded connection counts as one.
    requests: AtomicU32,
    ever: AtomicBool,
    /// The time when the last request ended, or the connection began.
    idle_since: AtomicU64,
    /// The time of the last progress.
    moved_at: AtomicU64,
    cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl ConnectionMeter {
    pub(crate) fn new(clock: Arc<AtomicU64>) -> Self {
        let now = clock.load(Ordering::Relaxed);
        Self {
            clock,
            written: FlowMeter::default(),
            responses: Mutex::default(),
            requests: AtomicU32::new(0),
            ever: AtomicBool::new(false),
            idle_since: AtomicU64::new(now),
            moved_at: AtomicU64::new(now),
            cut: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub(crate) fn moved(&self) {
        self.moved_at.store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn moved_at(&self) -> u64 {
        self.moved_at.load(Ordering::Relaxed)
    }

    /// Counts a request until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> BusyGuard {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.ever.store(true, Ordering::Relaxed);
        BusyGuard(Arc::clone(self))
    }

    /// Returns the time since which no request is in progress, and whether there ever was one. `None`: one is.
    pub(crate) fn idle(&self) -> Option<(u64, bool)> {
        let idle = self.requests.load(Ordering::Relaxed) == 0;
        idle.then(|| (self.idle_since.load(Ordering::Relaxed), self.ever.load(Ordering::Relaxed)))
    }

    /// Adds a response whose body the peer has not requested yet.
    pub(crate) fn response(&self) -> Arc<FlowMeter> {
        let flow = Arc::new(FlowMeter::waiting(self.now()));
        let mut responses = self.responses.lock();
        responses.retain(|flow| flow.strong_count() > 0);
        responses.push(Arc::downgrade(&flow));
        flow
    }

    /// Whether the peer keeps us waiting for too long.
    pub(crate) fn is_too_slow(&self, minimum_rate: MinimumRate, now: u64) -> bool {
        let slow = |flow: &Weak<FlowMeter>| flow.upgrade().is_some_and(|flow| flow.is_too_slow(minimum_rate, now));
        self.written.is_too_slow(minimum_rate, now) || self.responses.lock().iter().any(slow)
    }

    /// Ends the connection: readers and writers get an error.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Wakes the reader when the connection is cut. Read the flag after this call, otherwise a cut in between would be
    /// missed.
    pub(crate) fn on_cut_wake_reader(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    /// Does the same for the writer.
    pub(crate) fn on_cut_wake_writer(&self, waker: &Waker) {
        self.writer.register(waker);
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct BusyGuard(Arc<ConnectionMeter>);

impl BusyGuard {
    pub(crate) fn meter(&self) -> &Arc<ConnectionMeter> {
        &self.0
    }
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: MinimumRate = MinimumRate { stall: Duration::from_secs(30), min_rate: 256 };

    #[test]
    fn a_tunnel_is_met_and_a_trickle_is_not() {
        // (this wait, all waits, bytes), in seconds.
        for (now, all, bytes, missed) in [
            (30, 30, 0, false),
            (31, 31, 0, true),
            (31, 31, 1 << 30, true),
            (1, 60, 256 * 30, false),
            (1, 60, 256 * 30 - 1, true),
            (3, 3600, 1200, true),
            (3, 3600, 1_000_000, false),
        ] {
            assert_eq!(PACE.is_missed(now * 1000, all * 1000, bytes), missed, "{now} {all} {bytes}");
        }
    }

    #[test]
    fn only_time_that_is_waited_counts() {
        let flow = FlowMeter::default();
        assert!(!flow.is_too_slow(PACE, 1_000_000_000), "nothing was asked");
        flow.waits(1000);
        flow.waits(20_000);
        assert!(!flow.is_too_slow(PACE, 31_000) && flow.is_too_slow(PACE, 31_001));
        flow.moved(10, 31_000);
        assert!(!flow.is_too_slow(PACE, 1_000_000_000), "a quiet stream is legal");
        flow.waits(1_000_000_000);
        assert!(flow.is_too_slow(PACE, 1_000_001_000), "10 bytes in 31 s");
    }
}
