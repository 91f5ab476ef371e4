//! Challenges and tokens of the gate: only issued ones are accepted, with the content that they were issued for.

use crate::input;
use tpat::{Challenge, Token};

const KEY: [u8; 32] = [7; 32];

/// Checks `data`: the text; or the bytes of a challenge or token without its MAC, which is made here.
pub(crate) fn check(data: &[u8]) {
    if let Some(text) = input::text(data) {
        judge(text);
    }
    for label in [b"tpat challenge\0".as_slice(), b"tpat token\0"] {
        let tag = domain::encoding::hmac_sha256(&KEY, &[label, data]);
        judge(&domain::encoding::base64url(&[data, &tag].concat()));
    }
}

fn judge(text: &str) {
    if let Ok(challenge) = Challenge::authenticate(&KEY, text) {
        assert_eq!(Challenge::issue(&KEY, challenge.random, challenge.terms), text);
    }
    if let Ok(token) = Token::authenticate(&KEY, text) {
        assert_eq!(token.mint(&KEY), text);
    }
}
