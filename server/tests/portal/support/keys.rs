//! A client's keys, made here with another library than the one that checks them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use domain::encoding::base64url;
use serde_json::{Value, json};
use wire::jwk::EcJwk;

pub(crate) struct ClientKey(EcdsaKeyPair);

impl ClientKey {
    pub(crate) fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn public(&self) -> EcJwk {
        let point = self.0.public_key().as_ref();
        EcJwk::p256(base64url(&point[1..33]), base64url(&point[33..]))
    }

    /// Makes a DPoP proof (RFC 9449, section 4.2).
    pub(crate) fn prove(&self, url: &str, nonce: &str) -> String {
        self.prove_more(url, nonce, &json!({}))
    }

    /// Makes a proof with claims added or replaced.
    pub(crate) fn prove_more(&self, url: &str, nonce: &str, more: &Value) -> String {
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.public()});
        let mut claims = json!({"jti": new_jti(), "htm": "POST", "htu": url, "iat": 1, "nonce": nonce});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.sign(&header, &claims)
    }

    pub(crate) fn sign(&self, header: &Value, payload: &Value) -> String {
        let message =
            format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(payload.to_string().as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature.as_ref()))
    }
}

/// Returns a new unique `jti`.
pub(crate) fn new_jti() -> String {
    base64url(&rand_bytes::<16>())
}

/// Makes a receiving key.
pub(crate) fn receiving_key() -> jwe::PrivateKey {
    jwe::PrivateKey::generate(&rand_bytes()).unwrap()
}

fn rand_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}
