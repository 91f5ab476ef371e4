//! The times at which an attempt to send is repeated, and a message is given up.

use crate::UnixMs;

/// Period after which a message that the server has not accepted is given up.
pub const GIVE_UP_AFTER_MS: i64 = 24 * 60 * 60_000;
/// Period that a node holds a message that it sends. It is longer than an attempt takes, so that no other node sends
/// the message meanwhile. After a crash, another attempt begins when this time has passed.
pub const CLAIM_MS: i64 = 5 * 60_000;
const FIRST_PAUSE_MS: i64 = 60_000;
const LONGEST_PAUSE_MS: i64 = 2 * 60 * 60_000;

/// Returns the time at which a message is given up: at its link's expiry, and after [`GIVE_UP_AFTER_MS`] at the latest.
pub fn deadline(now: UnixMs, link_expires_at: Option<UnixMs>) -> UnixMs {
    let latest = now + GIVE_UP_AFTER_MS;
    link_expires_at.map_or(latest, |expires| expires.min(latest))
}

/// Returns the time of the next attempt after `tries` failed ones; `None`: the message is given up. The pauses are one
/// minute, two, four and so on, at most two hours.
pub fn next_attempt(tries: u32, now: UnixMs, deadline: UnixMs) -> Option<UnixMs> {
    let doublings = tries.saturating_sub(1).min(16);
    let pause = FIRST_PAUSE_MS.saturating_mul(1 << doublings).min(LONGEST_PAUSE_MS);
    Some(now + pause).filter(|next| *next < deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    /// Returns the minutes at which attempts are made.
    fn attempts(deadline: UnixMs) -> Vec<i64> {
        let (mut now, mut tries, mut at) = (UnixMs::EPOCH, 0, Vec::new());
        loop {
            at.push(now.as_millis() / 60_000);
            tries += 1;
            match next_attempt(tries, now, deadline) {
                Some(next) => now = next,
                None => return at,
            }
        }
    }

    #[test]
    fn pauses_grow_and_attempts_end() {
        assert_eq!(attempts(time(60 * 60_000)), [0, 1, 3, 7, 15, 31], "a link of one hour");
        let day = attempts(time(GIVE_UP_AFTER_MS));
        assert_eq!(day[..9], [0, 1, 3, 7, 15, 31, 63, 127, 247]);
        assert_eq!((day.len(), day.last()), (18, Some(&1327)), "every two hours at the end");
        // A message whose time has passed has one attempt at most.
        assert_eq!(next_attempt(1, time(10), time(10)), None);
        assert!(next_attempt(u32::MAX, UnixMs::EPOCH, UnixMs::MAX).is_some());
    }

    #[test]
    fn a_link_is_not_sent_after_its_expiry() {
        assert_eq!(deadline(time(1_000), None), time(1_000 + GIVE_UP_AFTER_MS));
        assert_eq!(deadline(time(1_000), Some(time(5_000))), time(5_000));
        assert_eq!(deadline(time(1_000), Some(UnixMs::MAX)), time(1_000 + GIVE_UP_AFTER_MS));
    }
}
