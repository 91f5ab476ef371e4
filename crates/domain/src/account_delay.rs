//! Slows an account down after failures in a row from any address.
//!
//! Bans stop one address. This stops many addresses that guess at one account. NIST SP 800-63B-4, section 3.2.2, allows
//! at most 100 failures in a row. The same rule holds for the proofs of a person in a live session.

use crate::UnixMs;

/// Failures in a row on one account, since its last success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailureStreak {
    pub count: u32,
    pub last_at: UnixMs,
}

/// The decision whether a password may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelayDecision {
    Open,
    /// Wait this long; no password is checked until then.
    Wait {
        ms: i64,
    },
    /// The limit is reached: every password is refused like a wrong one.
    Shut,
}

/// Number of failures without a delay; only their address is banned.
pub(crate) const FREE: u32 = 10;
/// Number of failures in a row after which a password alone is not sufficient.
pub const LIMIT: u32 = 100;
const LONGEST_MS: i64 = 5 * 60_000;

/// Returns the wait: from the eleventh failure in a row it doubles from 1 s up to 5 min.
pub fn gate(failures: FailureStreak, now: UnixMs) -> DelayDecision {
    if failures.count >= LIMIT {
        return DelayDecision::Shut;
    }
    // Further ahead than the longest wait: the clock was set back. A little ahead: another node's clock.
    if failures.last_at > now + LONGEST_MS {
        return DelayDecision::Open;
    }
    match (failures.last_at + delay_ms(failures.count)).since(now) {
        ms if ms > 0 => DelayDecision::Wait { ms },
        _ => DelayDecision::Open,
    }
}

fn delay_ms(count: u32) -> i64 {
    match count.checked_sub(FREE) {
        None | Some(0) => 0,
        Some(over) => (1000_i64 << (over - 1).min(20)).min(LONGEST_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn the_wait_grows_from_the_eleventh_failure_to_five_minutes() {
        for (count, ms) in [(0, 0), (10, 0), (11, 1000), (12, 2000), (15, 16_000), (20, 300_000), (99, 300_000)] {
            let expected = if ms == 0 { DelayDecision::Open } else { DelayDecision::Wait { ms } };
            assert_eq!(gate(FailureStreak { count, last_at: at(50) }, at(50)), expected, "{count} failures");
            assert_eq!(
                gate(FailureStreak { count, last_at: at(50) }, at(50 + ms)),
                DelayDecision::Open,
                "{count} failures, later"
            );
        }
    }

    #[test]
    fn a_clock_set_back_delays_nobody_and_a_different_one_changes_nothing() {
        let failures = FailureStreak { count: 20, last_at: at(3_600_000) };
        assert_eq!(gate(failures, UnixMs::EPOCH), DelayDecision::Open);
        assert_eq!(gate(failures, at(3_590_000)), DelayDecision::Wait { ms: 310_000 });
    }

    #[test]
    fn the_hundredth_failure_shuts_the_account() {
        assert_eq!(gate(FailureStreak { count: LIMIT, last_at: UnixMs::EPOCH }, at(i64::MAX / 2)), DelayDecision::Shut);
    }
}
