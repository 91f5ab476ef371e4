//! Signing keys: P-256 or Ed25519, they sign tokens and tickets.

use super::{Made, thumbprint};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use domain::encoding::{base64url, sha256};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use wire::jwk::{EcJwk, OkpJwk, SigningJwk, VerifyingJwk};
use zeroize::Zeroizing;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// As in JOSE headers (RFC 7518, section 3.1; RFC 8037, section 3.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Es256, Self::EdDsa].into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::ES256,
            Algorithm::EdDsa => Self::EdDSA,
        }
    }
}

pub struct SigningKey {
    pub public: SigningJwk,
    algorithm: Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl SigningKey {
    pub(super) fn make(algorithm: Algorithm) -> Option<Made> {
        let secret: Zeroizing<Vec<u8>> = match algorithm {
            Algorithm::Es256 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
                key.to_pkcs8v1().ok()?.as_ref().to_vec().into()
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?.as_ref().to_vec().into(),
        };
        let kid = Self::read(algorithm.as_str(), &secret)?.public.kid;
        Some(Made { kid, alg: algorithm.as_str(), secret })
    }

    pub(super) fn read(alg: &str, pkcs8: &[u8]) -> Option<Self> {
        let algorithm = Algorithm::parse(alg)?;
        let (key, kid, encoding, decoding) = match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
                let (x, y) = pair.public_key().as_ref().strip_prefix(&[4])?.split_at_checked(32)?;
                let key = EcJwk::p256(base64url(x), base64url(y));
                let decoding = DecodingKey::from_ec_components(&key.x, &key.y).ok()?;
                (VerifyingJwk::Ec(key.clone()), thumbprint(&key), EncodingKey::from_ec_der(pkcs8), decoding)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
                let key = OkpJwk::ed25519(base64url(pair.public_key().as_ref()));
                let kid = base64url(&sha256(key.thumbprint_input().as_bytes()));
                let decoding = DecodingKey::from_ed_components(&key.x).ok()?;
                (VerifyingJwk::Okp(key), kid, EncodingKey::from_ed_der(pkcs8), decoding)
            }
        };
        let public = SigningJwk { key, kid, alg: algorithm.as_str().to_owned(), usage: "sig".to_owned() };
        Some(Self { public, algorithm, encoding, decoding })
    }

    /// A compact JWS that names this key.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header {
            typ: Some(typ.to_owned()),
            kid: Some(self.public.kid.clone()),
            ..Header::new(self.algorithm.into())
        };
        jsonwebtoken::encode(&header, claims, &self.encoding)
    }

    /// The claims, if this key signed them. The algorithm is the key's, never the header's.
    pub fn verify<T: DeserializeOwned + Clone>(&self, token: &str, validation: &Validation) -> Option<T> {
        let validation = Validation { algorithms: vec![self.algorithm.into()], ..validation.clone() };
        jsonwebtoken::decode::<T>(token, &self.decoding, &validation).ok().map(|data| data.claims)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.kid)
    }
}
