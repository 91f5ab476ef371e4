//! Stateless nonces for proofs (RFC 9449, section 8).

use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256};
use domain::{CLOCK_TOLERANCE_MS, UnixMs};

/// Lifetime of a nonce in milliseconds.
pub const LIFETIME_MS: i64 = 5 * 60_000;

/// Makes a nonce: the time with a MAC.
pub fn make(key: &[u8; 32], now: UnixMs) -> String {
    let time = now.as_millis().to_be_bytes();
    base64url(&[time.as_slice(), &hmac_sha256(key, &[&time])[..16]].concat())
}

/// Returns when a nonce of this key was made.
pub fn made_at(key: &[u8; 32], nonce: &str) -> Option<UnixMs> {
    let bytes = from_base64url(nonce)?;
    let (time, tag) = bytes.split_first_chunk::<8>()?;
    hmac_is(key, &[time], tag).then(|| UnixMs::from_millis(i64::from_be_bytes(*time)))
}

/// Period that a used proof must be remembered, in milliseconds. It covers the earliest to the latest time at which its
/// nonce is accepted.
pub const REMEMBERED_MS: i64 = LIFETIME_MS + 2 * CLOCK_TOLERANCE_MS;

/// Whether the nonce was made with this key within the last five minutes, by a clock that may differ by
/// [`CLOCK_TOLERANCE_MS`].
pub fn is_fresh(key: &[u8; 32], nonce: &str, now: UnixMs) -> bool {
    let ages = -CLOCK_TOLERANCE_MS..LIFETIME_MS + CLOCK_TOLERANCE_MS;
    made_at(key, nonce).is_some_and(|made_at| ages.contains(&now.since(made_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn a_nonce_is_ours_and_young() {
        let (key, other) = ([1; 32], [2; 32]);
        let fresh = make(&key, at(1_000_000));
        assert!(is_fresh(&key, &fresh, at(1_000_000)));
        assert!(is_fresh(&key, &fresh, at(1_329_999)));
        assert!(!is_fresh(&key, &fresh, at(1_330_000)));
        assert!(is_fresh(&key, &fresh, at(970_000)), "made by a clock that is a little ahead");
        assert!(!is_fresh(&key, &fresh, at(969_999)), "from the future");
        assert!(!is_fresh(&other, &fresh, at(1_000_000)));
        assert!(!is_fresh(&key, "AAAA", at(1_000_000)));
    }
}
