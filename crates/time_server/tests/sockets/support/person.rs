use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use domain::encoding::base64url;
use wire::jwk::EcJwk;
use wire::user_keys::UserKeyJwk;

/// A person with a user key, signed in on a device with another key.
pub(crate) struct Person {
    pub name: &'static str,
    pub key: [u8; 32],
    device: EcdsaKeyPair,
}

impl Person {
    pub(crate) fn new(name: &'static str) -> Self {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).unwrap();
        Self { name, key, device: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    pub(crate) fn content(&self) -> UserKeyJwk {
        UserKeyJwk { kty: "oct".to_owned(), kid: format!("{}.1", self.name), k: base64url(&self.key) }
    }

    pub(crate) fn public(&self) -> EcJwk {
        public(&self.device)
    }

    pub(crate) fn sign(&self, message: &str) -> Vec<u8> {
        sign(&self.device, message)
    }
}

pub(super) fn public(pair: &EcdsaKeyPair) -> EcJwk {
    let point = pair.public_key().as_ref();
    EcJwk::p256(base64url(&point[1..33]), base64url(&point[33..]))
}

pub(super) fn sign(pair: &EcdsaKeyPair, message: &str) -> Vec<u8> {
    pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
}
