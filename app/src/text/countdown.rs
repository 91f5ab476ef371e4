//! A wait that is counted down.

use super::wait::unit;

/// When the wait is over.
pub(crate) const OVER: &str = "You can try again now.";

/// Returns the milliseconds until the text changes.
pub(crate) fn next_tick(left_ms: i64) -> i32 {
    let (unit, _) = unit(left_ms);
    // At most a second, because timers stop while a machine sleeps.
    i32::try_from((left_ms - 1).rem_euclid(unit) + 1).unwrap_or(i32::MAX).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_meet_the_change() {
        assert_eq!(next_tick(5_000), 1_000);
        assert_eq!(next_tick(4_200), 200);
        assert_eq!(next_tick(1), 1);
        assert_eq!(next_tick(3_600_000), 1_000);
    }
}
