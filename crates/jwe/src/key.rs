//! P-256 keys as JWK (RFC 7518, section 6.2).

use crate::Error;
use domain::encoding::{base64url, from_base64url, sha256};
use domain::thumbprint::Thumbprint;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use wire::jwk::EcJwk;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A private P-256 key. Its memory is cleared on drop.
#[derive(Clone)]
pub struct PrivateKey(SecretKey);

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct PrivateJwk {
    crv: String,
    d: String,
    kty: String,
    x: String,
    y: String,
}

impl PrivateKey {
    /// Makes a key from 32 random bytes.
    ///
    /// # Errors
    /// Never for random bytes.
    pub fn generate(random: &[u8; 32]) -> Result<Self, Error> {
        // One number in four thousand million is not a private key; then its hash is tried.
        let mut candidate = Zeroizing::new(*random);
        for _ in 0..8 {
            if let Ok(key) = SecretKey::from_slice(candidate.as_slice()) {
                return Ok(Self(key));
            }
            *candidate = sha256(candidate.as_slice());
        }
        Err(Error::Key)
    }

    /// Parses a private key.
    ///
    /// # Errors
    /// The text is not a P-256 key, or its halves do not match.
    pub fn from_jwk(text: &str) -> Result<Self, Error> {
        let jwk: PrivateJwk = serde_json::from_str(text).map_err(|_| Error::Key)?;
        let number = from_base64url(&jwk.d).map(Zeroizing::new).ok_or(Error::Key)?;
        let key = Self(SecretKey::from_slice(&number).map_err(|_| Error::Key)?);
        let public = key.public();
        let whole = jwk.kty == public.kty && jwk.crv == public.crv && jwk.x == public.x && jwk.y == public.y;
        if whole { Ok(key) } else { Err(Error::Key) }
    }

    pub fn to_jwk(&self) -> Zeroizing<String> {
        let EcJwk { crv, kty, x, y } = self.public();
        let number = Zeroizing::new(<[u8; 32]>::from(self.0.to_bytes()));
        let jwk = PrivateJwk { crv, d: base64url(number.as_slice()), kty, x, y };
        // Five strings can always be serialized.
        Zeroizing::new(serde_json::to_string(&jwk).unwrap_or_default())
    }

    pub fn public(&self) -> EcJwk {
        let point = self.0.public_key().to_sec1_point(false);
        // Uncompressed: a prefix byte, then x and y (SEC 1, section 2.3.3).
        let (x, y) = point.as_bytes().split_at(33);
        EcJwk::p256(base64url(x.get(1..).unwrap_or_default()), base64url(y))
    }

    /// Returns the secret that this key shares with another (ECDH).
    ///
    /// # Errors
    /// The other is not a P-256 key.
    pub fn agree(&self, epk: &EcJwk) -> Result<Zeroizing<[u8; 32]>, Error> {
        let shared = self.0.diffie_hellman(&point(epk)?);
        Ok(Zeroizing::new((*shared.raw_secret_bytes()).into()))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// Checks that this is a point on the curve in canonical form.
///
/// # Errors
/// The key is not such a point.
pub fn check_public(key: &EcJwk) -> Result<(), Error> {
    point(key).map(drop)
}

/// Returns the thumbprint by RFC 7638, with SHA-256.
pub fn thumbprint(key: &EcJwk) -> Thumbprint {
    Thumbprint::of(&key.thumbprint_input())
}

fn point(key: &EcJwk) -> Result<PublicKey, Error> {
    let coordinate = |text: &str| from_base64url(text).filter(|bytes| bytes.len() == 32).ok_or(Error::Key);
    if key.kty != "EC" || key.crv != "P-256" {
        return Err(Error::Key);
    }
    let encoded = [[4].as_slice(), &coordinate(&key.x)?, &coordinate(&key.y)?].concat();
    PublicKey::from_sec1_bytes(&encoded).map_err(|_| Error::Key)
}
