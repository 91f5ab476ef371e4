//! Signing keys: P-256 or Ed25519 keys for tokens and tickets, and RSA keys for ID tokens.

use super::{Made, thumbprint};
use domain::encoding::base64url;
use domain::thumbprint::Thumbprint;
use jose::{Algorithm, Error, KeyPair, PublicKey};
use serde::Serialize;
use std::fmt;
use wire::jwk::{EcJwk, OkpJwk, RsaSigningJwk, SigningJwk, TokenJwk};

pub struct SigningKey {
    pub public: SigningJwk,
    /// Its public half, for verification.
    pub verifying: PublicKey,
    pair: KeyPair,
}

impl SigningKey {
    pub(super) fn make(algorithm: Algorithm) -> Option<Made> {
        let secret = KeyPair::generate(algorithm)?;
        let kid = Self::read(algorithm.as_str(), &secret)?.public.kid;
        Some(Made { kid, alg: algorithm.as_str(), secret })
    }

    pub(super) fn read(alg: &str, pkcs8: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(Algorithm::parse(alg)?, pkcs8)?;
        let (key, kid, verifying) = match pair.algorithm() {
            Algorithm::Es256 => {
                let (x, y) = pair.public().strip_prefix(&[4])?.split_at_checked(32)?;
                let key = EcJwk::p256(base64url(x), base64url(y));
                let verifying = PublicKey::p256(&key.x, &key.y)?;
                (TokenJwk::Ec(key.clone()), thumbprint(&key).to_string(), verifying)
            }
            Algorithm::EdDsa => {
                let key = OkpJwk::ed25519(base64url(pair.public()));
                let kid = Thumbprint::of(&key.thumbprint_input()).to_string();
                let verifying = PublicKey::ed25519(&key.x)?;
                (TokenJwk::Okp(key), kid, verifying)
            }
            Algorithm::Rs256 => {
                let (n, e) = pair.rsa_components()?;
                let key = RsaSigningJwk::new(base64url(&n), base64url(&e));
                let kid = Thumbprint::of(&key.thumbprint_input()).to_string();
                let verifying = PublicKey::rsa(&key.n, &key.e)?;
                (TokenJwk::Rsa(key), kid, verifying)
            }
        };
        let public = SigningJwk { key, kid, alg: alg.to_owned(), usage: "sig".to_owned() };
        Some(Self { public, verifying: verifying.parsed()?, pair })
    }

    /// Signs `claims` as a compact JWS that names this key (RFC 7515, section 3.1).
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, Error> {
        self.pair.sign(typ, &self.public.kid, claims)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.kid)
    }
}
