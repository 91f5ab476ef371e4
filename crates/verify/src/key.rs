//! Public keys, as they stand in a JWKS.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, VerificationAlgorithm};
use domain::encoding::from_base64url;
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What a key may be for. Whatever else a JWKS names is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Es256,
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
}

/// One public key, with the one algorithm that it is for: read once, not with every signature.
#[derive(Clone)]
pub struct Key {
    pub algorithm: Algorithm,
    public: Arc<ParsedPublicKey>,
}

/// All keys of an auth server, by `kid`.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<String, Key>);

/// More keys than any auth server has.
const MOST_KEYS: usize = 64;

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    crv: String,
    x: String,
    y: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
}

impl Keys {
    /// The keys of a JWKS (RFC 7517, section 5) that are for signatures and of a kind known here. `None`: it
    /// is no JWKS.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let set: Set = serde_json::from_slice(body).ok()?;
        let keys = set.keys.into_iter().take(MOST_KEYS).filter_map(|key| {
            let jwk: Jwk = serde_json::from_value(key).ok()?;
            Some((jwk.kid.clone(), Key::read(&jwk)?))
        });
        Some(Self(keys.collect()))
    }

    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.0.get(kid)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Key {
    /// A point of P-256 by its coordinates (base64url; RFC 7518, section 6.2.1). `None`: it is no such point.
    pub fn p256(x: &str, y: &str) -> Option<Self> {
        let mut point = vec![4];
        for coordinate in [x, y] {
            point.extend(from_base64url(coordinate).filter(|coordinate| coordinate.len() == 32)?);
        }
        Self::new(Algorithm::Es256, &ECDSA_P256_SHA256_FIXED, &point)
    }

    /// A key of Ed25519 (base64url; RFC 8037, section 2). `None`: it is none.
    pub fn ed25519(x: &str) -> Option<Self> {
        Self::new(Algorithm::EdDsa, &ED25519, &from_base64url(x)?)
    }

    fn new(algorithm: Algorithm, verification: &'static dyn VerificationAlgorithm, bytes: &[u8]) -> Option<Self> {
        Some(Self { algorithm, public: Arc::new(ParsedPublicKey::new(verification, bytes).ok()?) })
    }

    fn read(jwk: &Jwk) -> Option<Self> {
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let key = match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
            ("EC", "P-256", Some(y)) => Self::p256(&jwk.x, y)?,
            ("OKP", "Ed25519", _) => Self::ed25519(&jwk.x)?,
            _ => return None,
        };
        // RFC 9864 calls the same algorithm Ed25519.
        let is_named =
            |alg: &str| alg == key.algorithm.as_str() || (key.algorithm == Algorithm::EdDsa && alg == "Ed25519");
        jwk.alg.as_deref().is_none_or(is_named).then_some(key)
    }

    /// Whether `signature` is this key's over `message`.
    pub fn signed(&self, message: &str, signature: &[u8]) -> bool {
        self.public.verify_sig(message.as_bytes(), signature).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.algorithm)
    }
}
