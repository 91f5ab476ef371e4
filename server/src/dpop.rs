//! Proofs of possession (RFC 9449) at this server: the check, and nonces of our own.

use domain::UnixMs;
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256};

pub use verify::dpop::{Proof, verify};

/// The request header that carries a proof.
pub const HEADER: &str = "dpop";
/// The answer header that carries the nonce for the next proof (RFC 9449, section 8).
pub const NONCE_HEADER: &str = "dpop-nonce";

const NONCE_LIFETIME_MS: i64 = 5 * 60_000;

/// A nonce that any node can check: the time, authenticated.
pub fn nonce(key: &[u8; 32], now: UnixMs) -> String {
    let time = now.to_be_bytes();
    base64url(&[time.as_slice(), &hmac_sha256(key, &[&time])[..16]].concat())
}

/// Whether the nonce was made here within the last five minutes.
pub fn nonce_is_fresh(key: &[u8; 32], nonce: &str, now: UnixMs) -> bool {
    let Some(bytes) = from_base64url(nonce) else { return false };
    let Some((time, tag)) = bytes.split_first_chunk::<8>() else { return false };
    let age = now.saturating_sub(i64::from_be_bytes(*time));
    hmac_is(key, &[time], tag) && (-1000..NONCE_LIFETIME_MS).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_ours_and_young() {
        let (key, other) = ([1; 32], [2; 32]);
        let fresh = nonce(&key, 1_000_000);
        assert!(nonce_is_fresh(&key, &fresh, 1_000_000));
        assert!(nonce_is_fresh(&key, &fresh, 1_299_999));
        assert!(!nonce_is_fresh(&key, &fresh, 1_300_000));
        assert!(!nonce_is_fresh(&key, &fresh, 900_000), "from the future");
        assert!(!nonce_is_fresh(&other, &fresh, 1_000_000));
        assert!(!nonce_is_fresh(&key, "AAAA", 1_000_000));
    }
}
