//! Public keys, as they stand in a JWKS.

use jsonwebtoken::DecodingKey;
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

/// One public key, with the one algorithm that it is for.
#[derive(Clone)]
pub struct Key {
    pub algorithm: Algorithm,
    decoding: Arc<DecodingKey>,
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
    fn read(jwk: &Jwk) -> Option<Self> {
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let (algorithm, name, decoding) = match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
            ("EC", "P-256", Some(y)) => (Algorithm::Es256, "ES256", DecodingKey::from_ec_components(&jwk.x, y)),
            ("OKP", "Ed25519", _) => (Algorithm::EdDsa, "EdDSA", DecodingKey::from_ed_components(&jwk.x)),
            _ => return None,
        };
        // RFC 9864 calls the same algorithm Ed25519.
        let named = jwk.alg.as_deref().is_none_or(|alg| alg == name || (name == "EdDSA" && alg == "Ed25519"));
        named.then_some(Self { algorithm, decoding: Arc::new(decoding.ok()?) })
    }

    /// Whether `signature` (base64url) is this key's over `message`.
    pub fn signed(&self, message: &str, signature: &str) -> bool {
        let algorithm = match self.algorithm {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        };
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.decoding, algorithm).unwrap_or(false)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.algorithm)
    }
}
