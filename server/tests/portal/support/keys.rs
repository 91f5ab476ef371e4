//! A client's keys, made here by another library than the one that checks them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use domain::encoding::base64url;
use serde_json::{Value, json};
use wire::jwk::EcJwk;

pub struct ClientKey(EcdsaKeyPair);

impl ClientKey {
    pub fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn public(&self) -> EcJwk {
        let point = self.0.public_key().as_ref();
        EcJwk::p256(base64url(&point[1..33]), base64url(&point[33..]))
    }

    /// A DPoP proof (RFC 9449, section 4.2).
    pub fn prove(&self, url: &str, nonce: &str) -> String {
        let key = self.public();
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key});
        let jti = base64url(&rand_bytes());
        self.sign(&header, &json!({"jti": jti, "htm": "POST", "htu": url, "iat": 1, "nonce": nonce}))
    }

    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        let message =
            format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(payload.to_string().as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature.as_ref()))
    }
}

fn rand_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}
