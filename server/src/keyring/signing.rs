//! Signing keys: P-256 or Ed25519, they sign tokens and tickets.

use super::{Made, thumbprint};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use domain::encoding::{base64url, sha256};
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

/// Read once, not with every token.
enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

pub struct SigningKey {
    pub public: SigningJwk,
    /// Its public half, for what it signed.
    pub verifying: verify::Key,
    algorithm: Algorithm,
    pair: Pair,
}

#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("what should be signed has no form in JSON")]
    Claims(#[from] serde_json::Error),
    #[error("the key could not sign")]
    Key(#[from] aws_lc_rs::error::Unspecified),
}

/// The header of a compact JWS (RFC 7515, section 4.1).
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
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
        let (key, kid, verifying, pair) = match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
                let (x, y) = pair.public_key().as_ref().strip_prefix(&[4])?.split_at_checked(32)?;
                let key = EcJwk::p256(base64url(x), base64url(y));
                let verifying = verify::Key::p256(&key.x, &key.y)?;
                (VerifyingJwk::Ec(key.clone()), thumbprint(&key), verifying, Pair::Es256(pair))
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
                let key = OkpJwk::ed25519(base64url(pair.public_key().as_ref()));
                let kid = base64url(&sha256(key.thumbprint_input().as_bytes()));
                let verifying = verify::Key::ed25519(&key.x)?;
                (VerifyingJwk::Okp(key), kid, verifying, Pair::EdDsa(pair))
            }
        };
        let public = SigningJwk { key, kid, alg: algorithm.as_str().to_owned(), usage: "sig".to_owned() };
        Some(Self { public, verifying, algorithm, pair })
    }

    /// A compact JWS that names this key (RFC 7515, section 3.1).
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, SignError> {
        let header = Header { typ, alg: self.algorithm.as_str(), kid: &self.public.kid };
        // Tickets carry keys.
        let (header, claims) = (serde_json::to_vec(&header)?, Zeroizing::new(serde_json::to_vec(claims)?));
        let message = format!("{}.{}", base64url(&header), base64url(&claims));
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), message.as_bytes())?,
            Pair::EdDsa(pair) => pair.sign(message.as_bytes()),
        };
        Ok(format!("{message}.{}", base64url(signature.as_ref())))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.kid)
    }
}
