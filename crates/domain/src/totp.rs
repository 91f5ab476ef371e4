//! Time-based one-time codes (RFC 6238): HMAC-SHA-1, six digits, a step of 30 seconds.
//!
//! A code is accepted during its own step and the next one, by the clock of the device that shows it. That device's
//! drift is remembered: each accepted code that is ahead moves it on. A code of the server's own time sets it again,
//! because a clock may have been corrected (RFC 6238, section 6).

use crate::UnixMs;
use crate::percent::encoded;
use crate::typed_code;
use totp_rs::{Algorithm, Builder, Totp};

/// Bytes of a secret: 160 bits, as RFC 4226, section 4, recommends.
pub const SECRET_BYTES: usize = 20;
/// Period that a new secret waits for its first code.
pub const REGISTRATION_MS: i64 = 15 * 60_000;
const DIGITS: usize = 6;
const STEP_MS: i64 = 30_000;
/// The largest difference between the clocks, in steps.
const MOST_DRIFT: i64 = 10;

/// A code that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matched {
    /// The code's step. Only a greater one than the last may be accepted.
    pub step: i64,
    /// The drift of the device's clock, in steps.
    pub drift: i64,
}

/// Returns the six digits of a text that may be a code. People write them with a space in the middle, and in the digits
/// of their script.
pub fn digits(text: &str) -> Option<String> {
    let digits = typed_code::plain(text);
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Checks a code by a device whose drift is known. Steps are tried from the newest one.
pub fn check(secret: &[u8], code: &str, drift: i64, now: UnixMs) -> Option<Matched> {
    let own = step(now);
    let at = own + drift;
    if let Some(matched) = find(secret, code, (at - 1..=at + 1).rev()) {
        // One step back is a code that was typed late, which does not show the clock's drift.
        let drift = if matched > at { (drift + 1).min(MOST_DRIFT) } else { drift };
        return Some(Matched { step: matched, drift });
    }
    let matched = find(secret, code, (own - 1..=own + 1).rev())?;
    Some(Matched { step: matched, drift: (matched - own).max(0) })
}

/// Checks the first code of a device, whose drift it shows.
pub fn check_first(secret: &[u8], code: &str, now: UnixMs) -> Option<Matched> {
    let at = step(now);
    let nearest_first = (0..=MOST_DRIFT).flat_map(|away| [at - away, at + away]);
    let matched = find(secret, code, nearest_first)?;
    let drift = match matched - at {
        ahead if ahead > 0 => ahead,
        // The last step's code was typed late, or the clock is behind. Both are accepted from now on.
        behind => (behind + 1).min(0),
    };
    Some(Matched { step: matched, drift })
}

/// Returns the code of a moment, for tests and for people who compare.
pub fn code(secret: &[u8], now: UnixMs) -> Option<String> {
    Some(totp(secret)?.generate(u64::try_from(now.to_seconds().as_seconds()).ok()?).to_string())
}

/// Returns a secret as text for apps that cannot read the picture.
pub fn secret_text(secret: &[u8]) -> String {
    base32::encode(base32::Alphabet::Rfc4648 { padding: false }, secret)
}

/// Returns the content of the QR code: an `otpauth` URI. Names are percent-encoded.
pub fn uri(secret: &[u8], issuer: &str, account: &str) -> String {
    let (issuer, account) = (encoded(issuer), encoded(account));
    let secret = secret_text(secret);
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

/// Returns the number of a moment's step (RFC 6238, section 4.2).
pub fn step(now: UnixMs) -> i64 {
    now.as_millis().div_euclid(STEP_MS)
}

fn find(secret: &[u8], code: &str, steps: impl Iterator<Item = i64>) -> Option<i64> {
    let (totp, code) = (totp(secret)?, digits(code)?);
    steps.into_iter().find(|step| {
        let seconds = u64::try_from(step.saturating_mul(STEP_MS / 1000));
        seconds.is_ok_and(|seconds| totp.check(&code, seconds).is_some())
    })
}

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new().with_algorithm(Algorithm::SHA1).with_skew(0).with_secret(secret.to_vec()).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: &[u8; 20] = b"12345678901234567890";
    const NOW: UnixMs = UnixMs::from_millis(1_750_000_020_000);

    fn at(steps: i64) -> String {
        code(SECRET, NOW + steps * STEP_MS).expect("a code")
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // The last six of its eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, UnixMs::from_millis(seconds * 1000)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_code_lives_for_its_own_step_and_the_next() {
        let own = NOW.as_millis().div_euclid(STEP_MS);
        assert_eq!(check(SECRET, &at(0), 0, NOW), Some(Matched { step: own, drift: 0 }));
        assert_eq!(check(SECRET, &at(-1), 0, NOW), Some(Matched { step: own - 1, drift: 0 }));
        assert_eq!(check(SECRET, &at(-2), 0, NOW), None);
        assert_eq!(check(SECRET, &at(2), 0, NOW), None);
    }

    #[test]
    fn a_clock_that_runs_ahead_is_followed_step_by_step() {
        let own = NOW.as_millis().div_euclid(STEP_MS);
        assert_eq!(check(SECRET, &at(1), 0, NOW), Some(Matched { step: own + 1, drift: 1 }));
        assert_eq!(check(SECRET, &at(2), 1, NOW), Some(Matched { step: own + 2, drift: 2 }));
        assert_eq!(check(SECRET, &at(11), 10, NOW), Some(Matched { step: own + 11, drift: 10 }), "never further");
    }

    #[test]
    fn a_corrected_clock_is_accepted_at_once() {
        let own = NOW.as_millis().div_euclid(STEP_MS);
        for drift in [-9, -3, 3, 10] {
            assert_eq!(check(SECRET, &at(0), drift, NOW), Some(Matched { step: own, drift: 0 }), "{drift}");
            assert_eq!(check(SECRET, &at(1), drift, NOW), Some(Matched { step: own + 1, drift: 1 }), "{drift}");
            assert_eq!(check(SECRET, &at(drift), drift, NOW), Some(Matched { step: own + drift, drift }), "still");
        }
        assert_eq!(check(SECRET, &at(-1), 5, NOW), Some(Matched { step: own - 1, drift: 0 }), "typed late");
        assert_eq!(check(SECRET, &at(2), 5, NOW), None);
    }

    #[test]
    fn the_first_code_shows_the_drift_and_works_again_with_it() {
        for (steps, drift) in [(0, 0), (-1, 0), (-2, -1), (1, 1), (10, 10), (-10, -9)] {
            let first = check_first(SECRET, &at(steps), NOW).expect("matched");
            assert_eq!(first.drift, drift, "{steps}");
            assert!(check(SECRET, &at(steps + 1), drift, NOW + STEP_MS).is_some(), "{steps}");
        }
        assert_eq!(check_first(SECRET, &at(11), NOW), None);
    }

    #[test]
    fn a_space_is_no_error_and_anything_else_is() {
        let code = at(0);
        let (head, tail) = code.split_at(3);
        assert!(check(SECRET, &format!(" {head} {tail}\n"), 0, NOW).is_some());
        assert_eq!(digits("\u{661}\u{662}\u{663}-456").as_deref(), Some("123456"), "an Arabic keyboard");
        for wrong in ["", "12345", "1234567", "+12345", "12345a", "\u{2460}23456"] {
            assert_eq!(digits(wrong), None, "{wrong:?}");
        }
        assert_eq!(check(b"short", &code, 0, NOW), None);
    }

    #[test]
    fn the_picture_says_everything_an_app_needs() {
        assert_eq!(
            uri(SECRET, "Ada & Co", "zo\u{eb}"),
            "otpauth://totp/Ada%20%26%20Co:zo%C3%AB?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ada%20%26%20Co\
             &algorithm=SHA1&digits=6&period=30"
        );
    }
}
