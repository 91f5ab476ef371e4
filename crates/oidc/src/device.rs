//! The device authorization grant (RFC 8628): codes that a person reads on one device and types on another.

use domain::UnixMs;

/// The `grant_type` of a device that asks for its tokens (section 3.4).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Lifetime of a code in milliseconds. It suffices to sign in on another device, and to set up a second factor there.
pub const LIFE_MS: i64 = 30 * 60_000;
/// Time between two polls in milliseconds.
pub const INTERVAL_MS: i64 = 5_000;
/// Letters without vowels and without those that look like others (section 6.1).
const LETTERS: [u8; 20] = *b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a code: 34 bits, for half an hour. The caller limits wrong codes by account and address.
const LENGTH: usize = 8;

/// Makes a code for people from random bytes: `BCDF-GHJK`.
pub fn user_code(random: [u8; 16]) -> String {
    let mut number = u128::from_be_bytes(random);
    let mut code = String::new();
    for place in 0..LENGTH {
        if place == LENGTH / 2 {
            code.push('-');
        }
        let letter = usize::try_from(number % 20).unwrap_or_default();
        code.push(char::from(LETTERS.get(letter).copied().unwrap_or(b'B')));
        number /= 20;
    }
    code
}

/// Returns a code as it is compared: without separators and in capitals. `None`: it cannot be a code.
pub fn normalized(typed: &str) -> Option<String> {
    let letters: String = typed.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
    let good = letters.len() == LENGTH && letters.bytes().all(|letter| LETTERS.contains(&letter));
    good.then_some(letters)
}

/// The state of a device that polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Nobody has answered yet.
    Pending,
    /// It polls faster than allowed.
    SlowDown,
    Denied,
    Expired,
}

/// Returns the answer to a poll of a device whose person has not answered yet.
pub fn judge_poll(expires_at: UnixMs, poll_at: UnixMs, denied: bool, now: UnixMs) -> Poll {
    if denied {
        Poll::Denied
    } else if now >= expires_at {
        Poll::Expired
    } else if now < poll_at {
        Poll::SlowDown
    } else {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn codes_are_typed_in_any_way() {
        let code = user_code([0xa5; 16]);
        assert_eq!((code.len(), code.as_bytes()[4]), (9, b'-'));
        let plain = code.replace('-', "");
        for typed in [code.clone(), code.to_lowercase(), plain.clone(), code.replace('-', " "), format!(" {plain}")] {
            assert_eq!(normalized(&typed), Some(plain.clone()), "{typed}");
        }
        for wrong in ["", "AAAA-AAAA", "BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJ\u{17f}"] {
            assert_eq!(normalized(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn polls_are_judged_in_order() {
        assert_eq!(judge_poll(at(10), UnixMs::EPOCH, false, at(5)), Poll::Pending);
        assert_eq!(judge_poll(at(10), at(6), false, at(5)), Poll::SlowDown);
        assert_eq!(judge_poll(at(10), UnixMs::EPOCH, false, at(10)), Poll::Expired);
        assert_eq!(judge_poll(at(10), UnixMs::EPOCH, true, at(5)), Poll::Denied);
    }
}
