//! Public and private keys as JWK: two implementations of P-256 accept the same points, in one form.

use crate::input;
use jwe::PrivateKey;
use serde_json::{Value, json};
use verify::{Keys, PublicKey};
use wire::jwk::EcJwk;

/// Checks `data`: a JWK, or a JWKS.
pub(crate) fn check(data: &[u8]) {
    let Some(text) = input::text(data) else { return };
    if let Ok(jwk) = serde_json::from_str::<EcJwk>(text) {
        public(&jwk);
    }
    if let Ok(key) = PrivateKey::from_jwk(text) {
        let again = PrivateKey::from_jwk(&key.to_jwk()).expect("what was written is read");
        assert_eq!(again.public(), key.public());
        public(&key.public());
    }
    if let Some(keys) = Keys::parse(data) {
        set(&keys, &serde_json::from_slice(data).expect("JSON"));
    }
}

fn public(jwk: &EcJwk) {
    let is_named = jwk.kty == "EC" && jwk.crv == "P-256";
    let aws = is_named && PublicKey::p256(&jwk.x, &jwk.y).and_then(PublicKey::parsed).is_some();
    assert_eq!(jwe::check_public(jwk).is_ok(), aws, "the implementations differ about a point");
    if aws {
        // A map of this kind is written in the order of its names, as RFC 7638 requires.
        let canonical = json!({"crv": jwk.crv, "kty": jwk.kty, "x": jwk.x, "y": jwk.y}).to_string();
        let expected = domain::encoding::base64url(&domain::encoding::sha256(canonical.as_bytes()));
        assert_eq!(jwe::thumbprint(jwk).to_string(), expected);
        assert_eq!((jwk.x.len(), jwk.y.len()), (43, 43));
    }
}

fn set(keys: &Keys, said: &Value) {
    for jwk in said["keys"].as_array().into_iter().flatten() {
        let Some(key) = jwk["kid"].as_str().and_then(|kid| keys.get(kid)) else { continue };
        // Of two keys with one id, either may be used.
        let same = |other: &&Value| other["kid"] == jwk["kid"];
        let all: Vec<_> = said["keys"].as_array().into_iter().flatten().filter(same).collect();
        let fits = |jwk: &&Value| match key.algorithm() {
            verify::Algorithm::Es256 => jwk["kty"] == "EC" && jwk["crv"] == "P-256",
            verify::Algorithm::Rs256 => false,
            verify::Algorithm::EdDsa => jwk["kty"] == "OKP" && jwk["crv"] == "Ed25519",
        };
        let may_sign = |jwk: &&Value| jwk["use"].is_null() || jwk["use"] == "sig";
        assert!(all.iter().any(|jwk| fits(jwk) && may_sign(jwk)), "a key for something else is taken");
    }
}
