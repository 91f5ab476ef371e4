//! A circuit breaker: an unreachable upstream gets no requests for a moment, because each would make its client wait.

use domain::UnixMs;
use parking_lot::Mutex;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 3;
/// Period that the circuit stays open before one trial request.
const PAUSE_MS: i64 = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The last request was answered, or none was sent yet.
    Up,
    /// Several requests in a row failed.
    Failing,
    /// Open until this time.
    Down { until: UnixMs },
}

#[derive(Debug, Default)]
pub struct CircuitBreaker(Mutex<BreakerState>);

#[derive(Debug, Default)]
struct BreakerState {
    failures: u32,
    until: UnixMs,
}

impl CircuitBreaker {
    /// Whether a request may be sent.
    ///
    /// # Errors
    /// Milliseconds until one may be sent.
    pub fn ask(&self, now: UnixMs) -> Result<(), i64> {
        let mut state = self.0.lock();
        if state.failures < FAILURES {
            return Ok(());
        }
        // If the clock was set back, do not wait longer than one pause.
        let left = (state.until - now).min(PAUSE_MS);
        if left > 0 {
            return Err(left);
        }
        // One trial request is sent; the others wait for its result.
        state.until = now + PAUSE_MS;
        Ok(())
    }

    pub fn answered(&self) {
        self.0.lock().failures = 0;
    }

    /// Records that connecting failed or no answer came in time.
    pub fn failed(&self, now: UnixMs) {
        let mut state = self.0.lock();
        state.failures = state.failures.saturating_add(1);
        state.until = now + PAUSE_MS;
    }

    pub fn health(&self, now: UnixMs) -> Health {
        let state = self.0.lock();
        match state.failures {
            0 => Health::Up,
            some if some < FAILURES => Health::Failing,
            _ if state.until <= now => Health::Failing,
            _ => Health::Down { until: state.until },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn three_failures_open_it_and_one_at_a_time_tries() {
        let breaker = CircuitBreaker::default();
        for _ in 0..2 {
            breaker.failed(at(1000));
        }
        assert_eq!((breaker.ask(at(1000)), breaker.health(at(1000))), (Ok(()), Health::Failing));
        breaker.failed(at(1000));
        assert_eq!(breaker.ask(at(1500)), Err(1500));
        assert_eq!(breaker.health(at(1500)), Health::Down { until: at(3000) });
        assert_eq!(breaker.ask(at(3000)), Ok(()), "one tries");
        assert_eq!(breaker.ask(at(3000)), Err(2000), "the others wait");
        breaker.failed(at(3100));
        assert_eq!(breaker.ask(at(5000)), Err(100));
        assert_eq!(breaker.ask(at(5100)), Ok(()));
        breaker.answered();
        assert_eq!((breaker.ask(at(5100)), breaker.health(at(5100))), (Ok(()), Health::Up));
    }

    #[test]
    fn an_answer_in_between_begins_anew_and_a_clock_that_went_back_holds_nobody() {
        let breaker = CircuitBreaker::default();
        for _ in 0..5 {
            breaker.failed(at(1000));
            breaker.failed(at(1000));
            breaker.answered();
        }
        assert_eq!(breaker.ask(at(1000)), Ok(()));
        for _ in 0..3 {
            breaker.failed(at(1_000_000));
        }
        assert_eq!(breaker.ask(UnixMs::EPOCH), Err(2000));
    }
}
