//! Proof Key for Code Exchange with `S256` (RFC 7636). `plain` is not supported.

use domain::encoding::{base64url, from_base64url, sha256};

/// Whether a text can be the result of `S256`: 32 bytes in base64url.
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && from_base64url(text).is_some_and(|bytes| bytes.len() == 32)
}

/// Whether a text has the form of a verifier (section 4.1).
pub fn is_verifier(text: &str) -> bool {
    let unreserved = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// Returns the challenge for a verifier (section 4.2).
pub fn challenge(verifier: &str) -> String {
    base64url(&sha256(verifier.as_bytes()))
}

/// Whether the verifier of a token request fits the challenge of its authorization request. A verifier without a
/// challenge is refused, because somebody may have removed the challenge (RFC 9700, section 4.8.2).
pub fn fits(challenge_of_request: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge_of_request, verifier) {
        (Some(expected), Some(verifier)) => is_verifier(verifier) && challenge(verifier) == expected,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
