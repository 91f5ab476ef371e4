//! The limit applies to every period.

use domain::UnixMs;
use domain::rate::Rate;
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_stretch_has_more_than_its_share(
        count in 1..50_u32, window_ms in 50..100_000_i64, gaps in proptest::collection::vec(0..3000_i64, 1..200),
    ) {
        let rate = Rate::per(count, window_ms);
        let (mut now, mut due, mut passed) = (UnixMs::from_millis(1_000_000), UnixMs::EPOCH, Vec::new());
        for gap in gaps {
            now += gap;
            if let Ok(next) = rate.take(due, now) {
                due = next;
                passed.push(now);
            }
        }
        for (first, from) in passed.iter().enumerate() {
            for (last, to) in passed.iter().enumerate().skip(first) {
                let taken = i64::try_from(last - first + 1).expect("few");
                prop_assert!(taken <= i64::from(rate.burst) + (*to - *from) / rate.every_ms);
            }
        }
    }

    #[test]
    fn waiting_for_retry_after_is_enough_and_less_is_not(burst in 1..20_u32, every_ms in 1..5000_i64) {
        let rate = Rate { burst, every_ms };
        let now = UnixMs::from_millis(1_000_000);
        let mut due = UnixMs::EPOCH;
        for _ in 0..burst {
            due = rate.take(due, now).expect("within the burst");
        }
        let wait = rate.take(due, now).expect_err("over the burst");
        prop_assert!(wait > 0 && rate.take(due, now + wait).is_ok());
        prop_assert!(rate.take(due, now + (wait - 1)).is_err());
    }
}
