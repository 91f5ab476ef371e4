//! A maximum number of events in each span of time, counted from the first one.

use crate::UnixMs;

/// At most `count` in each `span_ms`; both are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub count: u32,
    pub span_ms: i64,
}

/// A span that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// End of the span, when all are available again.
    pub ends_at: UnixMs,
    pub used: i64,
}

impl Allowance {
    /// Counts one event. `before`: the result of the last call, if there was one.
    ///
    /// # Errors
    /// All events of this span are used. Returns the milliseconds until the next span. `before` stays valid.
    pub fn take(self, before: Option<Taken>, now: UnixMs) -> Result<Taken, i64> {
        let span_ms = self.span_ms.max(1);
        // A span that ends later than any can is ignored: the clock was set back, or spans were made shorter.
        let running = before.filter(|taken| now < taken.ends_at && taken.ends_at - now <= span_ms);
        match running {
            None => Ok(Taken { ends_at: now + span_ms, used: 1 }),
            Some(taken) if taken.used < i64::from(self.count.max(1)) => Ok(Taken { used: taken.used + 1, ..taken }),
            Some(taken) => Err(taken.ends_at - now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn two_in_thirty_days_are_two() {
        let two = Allowance { count: 2, span_ms: 30 * DAY };
        let first = two.take(None, UnixMs::EPOCH).expect("one");
        let second = two.take(Some(first), at(10 * DAY)).expect("two");
        for days in [10, 11, 25, 29] {
            assert_eq!(two.take(Some(second), at(days * DAY)), Err((30 - days) * DAY));
        }
        assert_eq!(two.take(Some(second), at(30 * DAY)), Ok(Taken { ends_at: at(60 * DAY), used: 1 }));
        // A higher count or a shorter span takes effect at once.
        assert!(Allowance { count: 3, ..two }.take(Some(second), at(11 * DAY)).is_ok());
        assert!(Allowance { span_ms: DAY, ..two }.take(Some(second), at(11 * DAY)).is_ok());
    }

    #[test]
    fn a_clock_that_went_back_keeps_nobody_waiting_longer_than_a_span() {
        let one = Allowance { count: 1, span_ms: DAY };
        let taken = one.take(None, at(400 * DAY)).expect("one");
        assert!(one.take(Some(taken), UnixMs::EPOCH).is_ok());
    }
}
