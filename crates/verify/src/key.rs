//! Public keys from a JWKS.

use jose::{Algorithm, PublicKey};
use serde::Deserialize;
use std::collections::HashMap;

/// All keys of an auth server by `kid`.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<String, PublicKey>);

/// Maximum number of keys.
const MOST_KEYS: usize = 64;

#[derive(Deserialize)]
struct JwkSet {
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
    /// Parses the supported signature keys of a JWKS (RFC 7517, section 5). `None`: it is not a JWKS.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let set: JwkSet = serde_json::from_slice(body).ok()?;
        let keys = set.keys.into_iter().take(MOST_KEYS).filter_map(|key| {
            let jwk: Jwk = serde_json::from_value(key).ok()?;
            Some((jwk.kid.clone(), read(&jwk)?))
        });
        Some(Self(keys.collect()))
    }

    pub fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.0.get(kid)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn read(jwk: &Jwk) -> Option<PublicKey> {
    if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return None;
    }
    let key = match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
        ("EC", "P-256", Some(y)) => PublicKey::p256(&jwk.x, y)?.parsed()?,
        ("OKP", "Ed25519", _) => PublicKey::ed25519(&jwk.x)?.parsed()?,
        _ => return None,
    };
    // RFC 9864 calls the same algorithm Ed25519.
    let is_named =
        |alg: &str| alg == key.algorithm().as_str() || (key.algorithm() == Algorithm::EdDsa && alg == "Ed25519");
    jwk.alg.as_deref().is_none_or(is_named).then_some(key)
}
