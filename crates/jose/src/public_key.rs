//! Keys that verify.

use crate::provider::PUBLIC;
use crate::{Algorithm, Error};
use aws_lc_rs::signature::ParsedPublicKey;
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::DecodingKey;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// A public key with its only permitted algorithm.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    key: DecodingKey,
    /// Kept for the registry, which has only a weak reference.
    _parsed: Option<Arc<ParsedPublicKey>>,
}

impl PublicKey {
    /// Reads a P-256 point from its coordinates (base64url; RFC 7518, section 6.2.1). Returns `None` if they are
    /// invalid. Whether the point is on the curve is checked with the first signature, or by [`Self::parsed`].
    pub fn p256(x: &str, y: &str) -> Option<Self> {
        let (x, y) = (bytes32(x)?, bytes32(y)?);
        Some(Self::of_bytes(Algorithm::Es256, &[&[4], &x[..], &y[..]].concat()))
    }

    /// Reads an Ed25519 key (base64url; RFC 8037, section 2). Returns `None` if it is not 32 bytes long.
    pub fn ed25519(x: &str) -> Option<Self> {
        Some(Self::of_bytes(Algorithm::EdDsa, &bytes32(x)?))
    }

    /// Reads an RSA key from its modulus and exponent (base64url; RFC 7518, section 6.3.1). Returns `None` if the
    /// modulus has less than 2048 or more than 8192 bits, or the exponent is invalid.
    pub fn rsa(n: &str, e: &str) -> Option<Self> {
        let (modulus, exponent) = (Base64UrlUnpadded::decode_vec(n).ok()?, Base64UrlUnpadded::decode_vec(e).ok()?);
        if !(256..=1024).contains(&modulus.len()) || !(1..=8).contains(&exponent.len()) {
            return None;
        }
        let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
        Some(Self { algorithm: Algorithm::Rs256, key, _parsed: None })
    }

    fn of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let key = match algorithm {
            Algorithm::Es256 => DecodingKey::from_ec_der(bytes),
            Algorithm::EdDsa => DecodingKey::from_ed_der(bytes),
            Algorithm::Rs256 => DecodingKey::from_rsa_der(bytes),
        };
        Self { algorithm, key, _parsed: None }
    }

    /// Parses the key for as long as a copy of it exists. This is worth it for a key that verifies more than once.
    /// Returns `None` if it is not a point on the curve. An RSA key is returned unchanged, because reading it costs
    /// little beside its use.
    pub fn parsed(self) -> Option<Self> {
        if self.algorithm == Algorithm::Rs256 {
            return Some(self);
        }
        let bytes = self.key.try_get_as_bytes().ok()?;
        let parsed = Arc::new(ParsedPublicKey::new(self.algorithm.verification(), bytes).ok()?);
        PUBLIC.add(bytes, &parsed);
        Some(Self { _parsed: Some(parsed), ..self })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Verifies a compact JWS and returns its claims. The caller must check times, issuer and audience.
    ///
    /// # Errors
    ///
    /// The token is invalid; the variant says why.
    pub fn verify<C: DeserializeOwned>(&self, token: &str) -> Result<C, Error> {
        let decoded = jsonwebtoken::decode::<Box<RawValue>>(token, &self.key, self.algorithm.validation());
        let claims = decoded.map_err(|error| Error::of_decoding(&error))?.claims;
        serde_json::from_str(claims.get()).map_err(|_| Error::Claims)
    }
}

fn bytes32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let length = Base64UrlUnpadded::decode(text, &mut bytes).ok()?.len();
    (length == bytes.len()).then_some(bytes)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.algorithm.as_str())
    }
}
