//! MACs in place of proofs of possession, under a key that client and gate agree on (ECDH over P-256).
//!
//! A proof may have the claim `mac_epk`, the client's ephemeral point. The gate answers with
//! `TPAT-MAC-Key: id.point.seconds`. Each further request has `TPAT-MAC: id.number.tag`.

use crate::Thumbprint;
use domain::authority::split_url;
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;
use wire::jwk::EcJwk;
use zeroize::Zeroizing;

const KEY_LABEL: &[u8] = b"tpat mac key 1\0";
const TAG_LABEL: &[u8] = b"tpat mac 1\0";
/// Maximum length of a header's value in bytes.
const LONGEST: usize = 160;
/// Numbers this far below the highest are refused. Parallel requests arrive out of order.
pub const WINDOW: u64 = 1024;
/// The first byte of an uncompressed point (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a value of this header")]
pub struct InvalidMac;

/// The name of an agreed key, random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 16]);

/// An ephemeral P-256 point in its uncompressed form. It may be off the curve, which the agreement checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EphemeralPoint([u8; 65]);

/// The value of `TPAT-MAC-Key`: the gate's half of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAnswer {
    pub id: KeyId,
    pub point: EphemeralPoint,
    /// The key's lifetime from this answer.
    pub seconds: u32,
}

/// The value of `TPAT-MAC`, not verified yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestMac {
    pub id: KeyId,
    /// At least 1. Each number is accepted once.
    pub number: u64,
    tag: [u8; 32],
}

/// The values that an agreed key is for. Each of them changes the key.
#[derive(Debug, Clone, Copy)]
pub struct Agreement<'a> {
    pub id: KeyId,
    /// The key that signed the client's point.
    pub holder: Thumbprint,
    pub token: &'a str,
    pub client: EphemeralPoint,
    pub gate: EphemeralPoint,
}

/// The parts of a request that a MAC covers, as in a proof of possession. The key covers the token.
#[derive(Debug, Clone, Copy)]
pub struct CoveredRequest<'a> {
    pub method: &'a str,
    /// The URL without query and fragment.
    pub url: &'a str,
}

/// A key for the MACs of one token's requests. Its memory is cleared on drop.
pub struct AgreedKey(Zeroizing<[u8; 32]>);

/// The numbers that were used with one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    highest: u64,
    /// One bit for each of the last [`WINDOW`] numbers, at the number modulo [`WINDOW`].
    used: [u64; 16],
}

impl AgreedKey {
    /// Derives the key from the secret of both ephemeral keys.
    pub fn derive(secret: &[u8; 32], agreement: &Agreement<'_>) -> Self {
        let Agreement { id, holder, token, client, gate } = agreement;
        let mut key = Zeroizing::new([0; 32]);
        // All parts have a fixed length, so no two agreements have the same input. HKDF can return up to 8,160 bytes.
        let info: [&[u8]; 6] = [KEY_LABEL, &id.0, &holder.0, &sha256(token.as_bytes()), &client.0, &gate.0];
        let _ = Hkdf::<Sha256>::new(None, secret).expand_multi_info(&info, key.as_mut_slice());
        Self(key)
    }

    /// Makes the MAC of a request. A number must not be used twice.
    pub fn sign(&self, id: KeyId, number: u64, request: CoveredRequest<'_>) -> RequestMac {
        RequestMac { id, number, tag: hmac_sha256(&self.0, &[&request.input(number)]) }
    }

    /// Whether a MAC is of this request, in time that does not depend on the tag. The caller checks the number.
    pub fn verifies(&self, mac: &RequestMac, request: CoveredRequest<'_>) -> bool {
        hmac_is(&self.0, &[&request.input(mac.number)], &mac.tag)
    }
}

impl CoveredRequest<'_> {
    /// Returns one input for one request. Scheme and authority have one spelling, as in the comparison of `htu`.
    fn input(&self, number: u64) -> Vec<u8> {
        let url = split_url(self.url).map_or_else(|| self.url.to_owned(), |(origin, rest)| format!("{origin}{rest}"));
        let mut input = TAG_LABEL.to_vec();
        input.extend(number.to_be_bytes());
        for part in [self.method, &url] {
            input.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            input.extend(part.as_bytes());
        }
        input
    }
}

impl ReplayWindow {
    /// Uses a number. Returns `false` if it was used before, or is too far below the highest.
    pub fn accept(&mut self, number: u64) -> bool {
        if number == 0 || self.highest.saturating_sub(number) >= WINDOW {
            return false;
        }
        if number > self.highest {
            for skipped in 0..(number - self.highest).min(WINDOW) {
                let (word, bit) = place(number - skipped);
                self.used[word] &= !bit;
            }
            self.highest = number;
        }
        let (word, bit) = place(number);
        let first = self.used[word] & bit == 0;
        self.used[word] |= bit;
        first
    }
}

/// Returns the word of a number's bit, and that bit.
fn place(number: u64) -> (usize, u64) {
    let at = number % WINDOW;
    // At most 15.
    (usize::try_from(at / 64).unwrap_or_default(), 1 << (at % 64))
}

impl EphemeralPoint {
    /// Returns the point of a public key. `None`: a coordinate does not have 32 bytes.
    pub fn of(key: &EcJwk) -> Option<Self> {
        let mut point = [UNCOMPRESSED; 65];
        for (half, coordinate) in point[1..].chunks_mut(32).zip([&key.x, &key.y]) {
            half.copy_from_slice(&fixed::<32>(coordinate).ok()?);
        }
        Some(Self(point))
    }

    pub fn jwk(&self) -> EcJwk {
        let (x, y) = self.0[1..].split_at(32);
        EcJwk::p256(base64url(x), base64url(y))
    }
}

impl FromStr for EphemeralPoint {
    type Err = InvalidMac;

    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        fixed(text).ok().filter(|point: &[u8; 65]| point[0] == UNCOMPRESSED).map(Self).ok_or(InvalidMac)
    }
}

impl fmt::Display for EphemeralPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

impl FromStr for KeyAnswer {
    type Err = InvalidMac;

    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        let [id, point, seconds] = parts(text)?;
        let seconds = u32::try_from(positive(seconds)?).map_err(|_| InvalidMac)?;
        Ok(Self { id: KeyId(fixed(id)?), point: point.parse()?, seconds })
    }
}

impl fmt::Display for KeyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", base64url(&self.id.0), self.point, self.seconds)
    }
}

impl FromStr for RequestMac {
    type Err = InvalidMac;

    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        let [id, number, tag] = parts(text)?;
        Ok(Self { id: KeyId(fixed(id)?), number: positive(number)?, tag: fixed(tag)? })
    }
}

impl fmt::Display for RequestMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", base64url(&self.id.0), self.number, base64url(&self.tag))
    }
}

impl fmt::Debug for AgreedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreedKey(..)")
    }
}

fn parts(text: &str) -> Result<[&str; 3], InvalidMac> {
    let mut parts = text.split('.');
    let all = [parts.next(), parts.next(), parts.next(), parts.next()];
    match all {
        [Some(first), Some(second), Some(third), None] if text.len() <= LONGEST => Ok([first, second, third]),
        _ => Err(InvalidMac),
    }
}

fn fixed<const N: usize>(text: &str) -> Result<[u8; N], InvalidMac> {
    let bytes = from_base64url(text).filter(|_| text.len() <= LONGEST);
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(InvalidMac)
}

/// Parses a decimal number of at least 1. Each number has one text.
fn positive(text: &str) -> Result<u64, InvalidMac> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or(InvalidMac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const REQUEST: CoveredRequest<'static> = CoveredRequest { method: "GET", url: "https://api.example/price" };

    fn agreement() -> Agreement<'static> {
        let point = |fill| EphemeralPoint([&[UNCOMPRESSED], [fill; 64].as_slice()].concat().try_into().expect("65"));
        let (client, gate) = (point(1), point(2));
        Agreement { id: KeyId([3; 16]), holder: Thumbprint([4; 32]), token: "token", client, gate }
    }

    fn key() -> AgreedKey {
        AgreedKey::derive(&[7; 32], &agreement())
    }

    #[test]
    fn each_part_of_the_agreement_changes_the_key() {
        let mac = key().sign(KeyId([3; 16]), 1, REQUEST);
        assert!(AgreedKey::derive(&[7; 32], &agreement()).verifies(&mac, REQUEST));
        let good = agreement();
        for (part, other) in [
            ("id", Agreement { id: KeyId([0; 16]), ..good }),
            ("holder", Agreement { holder: Thumbprint([0; 32]), ..good }),
            ("token", Agreement { token: "tokem", ..good }),
            ("client", Agreement { client: good.gate, ..good }),
            ("gate", Agreement { gate: good.client, ..good }),
        ] {
            assert!(!AgreedKey::derive(&[7; 32], &other).verifies(&mac, REQUEST), "{part}");
        }
        assert!(!AgreedKey::derive(&[8; 32], &good).verifies(&mac, REQUEST), "the secret");
    }

    #[test]
    fn a_mac_is_of_one_request_in_any_spelling() {
        let mac = key().sign(KeyId([3; 16]), 5, REQUEST);
        for (method, url, same) in [
            ("GET", "https://api.example/price", true),
            ("GET", "HTTPS://API.example.:443/price", true),
            ("get", "https://api.example/price", false),
            ("HEAD", "https://api.example/price", false),
            ("GET", "http://api.example/price", false),
            ("GET", "https://api.example:8443/price", false),
            ("GET", "https://api.example/Price", false),
            ("GET", "https://api.example/price/", false),
            ("GET", "not a url", false),
        ] {
            assert_eq!(key().verifies(&mac, CoveredRequest { method, url }), same, "{method} {url}");
        }
        assert!(!key().verifies(&RequestMac { number: 6, ..mac }, REQUEST), "the number is covered");
        // The length of the method keeps these apart.
        let moved = key().sign(KeyId([3; 16]), 5, CoveredRequest { method: "GETx", url: "y" });
        assert!(!key().verifies(&moved, CoveredRequest { method: "GET", url: "xy" }));
    }

    #[test]
    fn a_window_accepts_each_number_once() {
        let mut window = ReplayWindow::default();
        for (number, accepted) in [
            (0, false),
            (1, true),
            (1, false),
            (3, true),
            (2, true),
            (2, false),
            (WINDOW + 2, true),
            (2, false),
            (3, false),
            (4, true),
            (4, false),
            (u64::MAX, true),
            (u64::MAX, false),
            (u64::MAX - WINDOW, false),
            (u64::MAX - WINDOW + 1, true),
            (WINDOW + 3, false),
        ] {
            assert_eq!(window.accept(number), accepted, "{number}");
        }
    }

    #[test]
    fn a_key_is_not_in_debug() {
        assert_eq!(format!("{:?}", key()), "AgreedKey(..)");
    }

    proptest! {
        #[test]
        fn fuzz_mac_window_is_a_set(steps in prop::collection::vec((0..4_u8, 0..3000_u64), 1..300)) {
            let (mut window, mut used, mut highest) = (ReplayWindow::default(), HashSet::new(), 0_u64);
            for (kind, step) in steps {
                // Mostly near the highest number, in both directions.
                let number = match kind { 0 => step, 1 => highest + step % 3, 2 => highest.saturating_sub(step % 1100), _ => highest + step };
                let expected = number > 0 && number + WINDOW > highest && used.insert(number);
                prop_assert_eq!(window.accept(number), expected, "{}", number);
                if expected { highest = highest.max(number); }
            }
        }

        #[test]
        fn fuzz_mac_headers_there_and_back(id: [u8; 16], number in 1..=u64::MAX, seconds in 1..=u32::MAX, x: [u8; 32], y: [u8; 32]) {
            let mac = key().sign(KeyId(id), number, REQUEST);
            prop_assert_eq!(mac.to_string().parse(), Ok(mac));
            let point = EphemeralPoint::of(&EcJwk::p256(base64url(&x), base64url(&y))).expect("a point");
            let answer = KeyAnswer { id: KeyId(id), point, seconds };
            prop_assert_eq!(answer.to_string().parse(), Ok(answer));
            prop_assert_eq!(EphemeralPoint::of(&point.jwk()), Some(point));
        }

        #[test]
        fn fuzz_mac_headers_of_any_text(text in "[A-Za-z0-9_-]{21,23}\\.[0-9]{0,21}\\.[A-Za-z0-9_-]{42,44}|.{0,200}") {
            if let Ok(mac) = text.parse::<RequestMac>() {
                prop_assert_eq!(mac.to_string(), text.clone());
            }
            if let Ok(answer) = text.parse::<KeyAnswer>() {
                prop_assert_eq!(answer.to_string(), text);
            }
        }

        #[test]
        fn fuzz_mac_one_bit(bit in 0..256_usize) {
            let mut mac = key().sign(KeyId([3; 16]), 1, REQUEST);
            mac.tag[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!key().verifies(&mac, REQUEST));
        }
    }
}
