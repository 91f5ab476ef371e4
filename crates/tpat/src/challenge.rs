//! The challenge: the authenticated terms of an offer. Making one writes nothing, so that a flood of unpaid requests
//! costs no rows. Refusing a forged one costs one HMAC.
//!
//! `base64url(version | 16 random bytes | route | price | quota | ttl | confirmations | account | index | expiry |
//! thumbprint or zeros | HMAC-SHA256)`, big-endian, of fixed length.

use crate::UnixS;
use crate::binding::Binding;
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};
use wire::toll::MESSAGE_PREFIX;

const VERSION: u8 = 1;
const BODY: usize = 1 + 16 + 8 + 8 + 8 + 4 + 2 + 4 + 4 + 8 + 32;
const LENGTH: usize = BODY + 32;
/// Number of characters in a challenge.
pub const TEXT: usize = (LENGTH * 4).div_ceil(3);
/// Separates these MACs from the tokens', if both use one key.
const LABEL: &[u8] = b"tpat challenge\0";

/// A route, by its name: eight bytes of SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RouteId(pub [u8; 8]);

impl RouteId {
    pub fn of(name: &str) -> Self {
        Self(*sha256(name.as_bytes()).first_chunk().unwrap_or(&[0; 8]))
    }
}

/// The terms of an offer, fixed for the challenge's lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChallengeTerms {
    pub route: RouteId,
    /// The minimum amount, in piconero.
    pub price: u64,
    /// Number of requests for the price.
    pub quota: u64,
    /// Lifetime of the token in seconds from its redemption.
    pub ttl_s: u32,
    /// Confirmations that the payment needs.
    pub confirmations: u16,
    /// The subaddress to pay to: account and index in the gate's pool.
    pub account: u32,
    pub index: u32,
    /// Expiry of the challenge.
    pub expires: UnixS,
    /// The only key that may redeem it.
    pub binding: Binding,
}

/// A challenge with a valid MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    /// The unique id of this challenge.
    pub random: [u8; 16],
    pub terms: ChallengeTerms,
}

/// The challenge is invalid: it was not issued by this gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this gate did not issue the challenge")]
pub struct ForgedChallenge;

impl Challenge {
    /// Issues a challenge.
    pub fn issue(key: &[u8; 32], random: [u8; 16], terms: ChallengeTerms) -> String {
        let body = Self { random, terms }.body();
        let tag = hmac_sha256(key, &[LABEL, &body]);
        base64url(&[body.as_slice(), &tag].concat())
    }

    /// Parses and authenticates, in time that does not depend on the MAC. Does not check expiry; [`crate::payment`]
    /// decides whether a late payment counts.
    pub fn authenticate(key: &[u8; 32], text: &str) -> Result<Self, ForgedChallenge> {
        Self::read(key, text).ok_or(ForgedChallenge)
    }

    /// Returns the message that a payment's proof must sign.
    pub fn message(text: &str) -> String {
        format!("{MESSAGE_PREFIX}{text}")
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
        let random = fields.take()?;
        let terms = ChallengeTerms {
            route: RouteId(fields.take()?),
            price: u64::from_be_bytes(fields.take()?),
            quota: u64::from_be_bytes(fields.take()?),
            ttl_s: u32::from_be_bytes(fields.take()?),
            confirmations: u16::from_be_bytes(fields.take()?),
            account: u32::from_be_bytes(fields.take()?),
            index: u32::from_be_bytes(fields.take()?),
            expires: u64::from_be_bytes(fields.take()?),
            binding: Binding::from_field(fields.take()?),
        };
        (version == VERSION).then_some(Self { random, terms })
    }

    fn body(&self) -> Vec<u8> {
        let terms = &self.terms;
        let mut body = Vec::with_capacity(LENGTH);
        body.push(VERSION);
        body.extend(self.random);
        body.extend(terms.route.0);
        body.extend(terms.price.to_be_bytes());
        body.extend(terms.quota.to_be_bytes());
        body.extend(terms.ttl_s.to_be_bytes());
        body.extend(terms.confirmations.to_be_bytes());
        body.extend(terms.account.to_be_bytes());
        body.extend(terms.index.to_be_bytes());
        body.extend(terms.expires.to_be_bytes());
        body.extend(terms.binding.field());
        body
    }
}

/// Consecutive fields of fixed length.
pub(crate) struct FieldReader<'a>(pub &'a [u8]);

impl FieldReader<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = [7; 32];

    fn terms() -> ChallengeTerms {
        ChallengeTerms {
            route: RouteId::of("price"),
            price: 2_000_000_000,
            quota: 100,
            ttl_s: 3600,
            confirmations: 1,
            account: 0,
            index: 17,
            expires: 1_795_240_000,
            binding: Binding::Bearer,
        }
    }

    #[test]
    fn an_issued_challenge_is_read() {
        let text = Challenge::issue(&KEY, [3; 16], terms());
        assert_eq!(text.len(), TEXT);
        assert_eq!(Challenge::authenticate(&KEY, &text), Ok(Challenge { random: [3; 16], terms: terms() }));
        assert_eq!(Challenge::authenticate(&[8; 32], &text), Err(ForgedChallenge));
        assert_eq!(Challenge::message(&text), format!("tpat1:{text}"));
    }

    #[test]
    fn each_changed_character_is_refused() {
        let text = Challenge::issue(&KEY, [3; 16], terms());
        for position in 0..text.len() {
            for other in ['A', 'B', 'z', '-', '=', ' ', '+'] {
                let mut changed: Vec<char> = text.chars().collect();
                if changed[position] != other {
                    changed[position] = other;
                    let changed: String = changed.into_iter().collect();
                    assert_eq!(Challenge::authenticate(&KEY, &changed), Err(ForgedChallenge), "{position} {other}");
                }
            }
        }
        for wrong in [String::new(), format!("{text}="), format!("{text}A"), text[1..].to_owned()] {
            assert_eq!(Challenge::authenticate(&KEY, &wrong), Err(ForgedChallenge));
        }
    }

    proptest! {
        #[test]
        fn fuzz_challenge_there_and_back(
            key: [u8; 32], random: [u8; 16], route: [u8; 8], price: u64, quota: u64, ttl_s: u32,
            confirmations: u16, account: u32, index: u32, expires: u64, thumbprint: [u8; 32],
        ) {
            let (route, binding) = (RouteId(route), Binding::from_field(thumbprint));
            let terms = ChallengeTerms { route, price, quota, ttl_s, confirmations, account, index, expires, binding };
            let text = Challenge::issue(&key, random, terms);
            prop_assert_eq!(Challenge::authenticate(&key, &text), Ok(Challenge { random, terms }));
        }

        #[test]
        fn fuzz_challenge_made_up(text in "[A-Za-z0-9_-]{171}|.{0,200}") {
            prop_assert_eq!(Challenge::authenticate(&KEY, &text), Err(ForgedChallenge));
        }

        #[test]
        fn fuzz_challenge_one_bit(bit in 0..LENGTH * 8) {
            let mut bytes = from_base64url(&Challenge::issue(&KEY, [3; 16], terms())).expect("base64url");
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Challenge::authenticate(&KEY, &base64url(&bytes)), Err(ForgedChallenge));
        }
    }
}
