//! The token for a payment, verified without a look-up. It depends only on its row, so that the same purchase always
//! gives the same token, even after a crash.
//!
//! `base64url(version | id | routes | expiry | class | thumbprint or zeros | HMAC-SHA256)`.

use crate::UnixS;
use crate::binding::Binding;
use crate::challenge::{FieldReader, ForgedChallenge, RouteId};
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256};

const VERSION: u8 = 1;
const BODY: usize = 1 + 16 + 8 + 8 + 1 + 32;
const LENGTH: usize = BODY + 32;
/// Number of characters in a token.
pub(crate) const TEXT: usize = (LENGTH * 4).div_ceil(3);
const LABEL: &[u8] = b"tpat token\0";

/// The way in which a token's requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// A number of requests.
    Counted,
    /// Any number until it expires.
    Unmetered,
    /// Bytes in both directions.
    Bytes,
}

/// A token with a valid MAC. Quota, suspension and revocation are stored by `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub id: [u8; 16],
    /// The routes that it is valid for.
    pub routes: RouteId,
    /// Its expiry.
    pub expires: UnixS,
    pub class: TokenClass,
    /// The key to prove with it.
    pub binding: Binding,
}

impl Token {
    /// Returns the token on the wire, which is secret if it is not bound to a key.
    pub fn mint(&self, key: &[u8; 32]) -> String {
        let body = self.body();
        let tag = hmac_sha256(key, &[LABEL, &body]);
        base64url(&[body.as_slice(), &tag].concat())
    }

    /// Parses and authenticates, in time that does not depend on the MAC. Does not check expiry.
    pub fn authenticate(key: &[u8; 32], text: &str) -> Result<Self, ForgedChallenge> {
        Self::read(key, text).ok_or(ForgedChallenge)
    }

    /// Whether a key must be proven.
    pub fn is_bound(&self) -> bool {
        self.binding.is_key()
    }

    fn read(key: &[u8; 32], text: &str) -> Option<Self> {
        if text.len() != TEXT {
            return None;
        }
        let bytes = from_base64url(text)?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        if tag.len() != 32 || !hmac_is(key, &[LABEL, body], tag) {
            return None;
        }
        let mut fields = FieldReader(body);
        let [version] = fields.take()?;
        let (id, routes) = (fields.take()?, RouteId(fields.take()?));
        let expires = u64::from_be_bytes(fields.take()?);
        let class = match fields.take()? {
            [0] => TokenClass::Counted,
            [1] => TokenClass::Unmetered,
            [2] => TokenClass::Bytes,
            _ => return None,
        };
        (version == VERSION).then_some(Self {
            id,
            routes,
            expires,
            class,
            binding: Binding::from_field(fields.take()?),
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(LENGTH);
        body.push(VERSION);
        body.extend(self.id);
        body.extend(self.routes.0);
        body.extend(self.expires.to_be_bytes());
        body.push(self.class as u8);
        body.extend(self.binding.field());
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_challenge_is_no_token() {
        let key = [7; 32];
        let token = Token {
            id: [1; 16],
            routes: RouteId([2; 8]),
            expires: 3,
            class: TokenClass::Counted,
            binding: Binding::Bearer,
        };
        let text = token.mint(&key);
        assert_eq!((text.len(), Token::authenticate(&key, &text)), (TEXT, Ok(token)));
        assert!(!token.is_bound());
        // The same bytes with the other label.
        let tag = hmac_sha256(&key, &[b"tpat challenge\0", &token.body()]);
        let other = base64url(&[token.body().as_slice(), &tag].concat());
        assert_eq!(Token::authenticate(&key, &other), Err(ForgedChallenge));
    }

    proptest! {
        #[test]
        fn fuzz_token_there_and_back(key: [u8; 32], id: [u8; 16], routes: [u8; 8], expires: u64, which in 0..3_usize, thumbprint: [u8; 32]) {
            let class = [TokenClass::Counted, TokenClass::Unmetered, TokenClass::Bytes][which];
            let token = Token { id, routes: RouteId(routes), expires, class, binding: Binding::from_field(thumbprint) };
            prop_assert_eq!(Token::authenticate(&key, &token.mint(&key)), Ok(token));
        }

        #[test]
        fn fuzz_token_one_bit(bit in 0..LENGTH * 8) {
            let key = [7; 32];
            let token = Token { id: [1; 16], routes: RouteId([2; 8]), expires: 3, class: TokenClass::Bytes, binding: Binding::from_field([4; 32]) };
            let mut bytes = from_base64url(&token.mint(&key)).expect("base64url");
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Token::authenticate(&key, &base64url(&bytes)), Err(ForgedChallenge));
        }

        #[test]
        fn fuzz_token_made_up(text in "[A-Za-z0-9_-]{131}|.{0,150}") {
            prop_assert_eq!(Token::authenticate(&[7; 32], &text), Err(ForgedChallenge));
        }
    }
}
