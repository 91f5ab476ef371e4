//! An authenticator with one P-256 passkey, which signs anything that a test needs.

use super::portal::ORIGIN;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use domain::encoding::{base64url, sha256};
use serde_json::{Value, json};

/// Flags: user present and verified.
pub(crate) const VERIFIED: u8 = 0b101;

pub(crate) struct Authenticator {
    pub key: EcdsaKeyPair,
    pub id: Vec<u8>,
    pub user_handle: String,
    pub host: String,
    pub origin: String,
    pub flags: u8,
    pub sign_count: u32,
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let id = sha256(key.public_key().as_ref()).to_vec();
        let (host, origin) = ("localhost".to_owned(), ORIGIN.to_owned());
        Self { key, id, user_handle: String::new(), host, origin, flags: VERIFIED, sign_count: 0 }
    }

    /// Makes a credential for creation options.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        options["user"]["id"].as_str().unwrap().clone_into(&mut self.user_handle);
        let point = self.key.public_key().as_ref();
        let cose = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], &point[1..33], &[0x22, 0x58, 32], &point[33..]];
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let credential = [&[0; 16][..], &length, &self.id, &cose.concat()].concat();
        let data = [self.data(self.flags | 0x40), credential].concat();
        let object =
            [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", &[u8::try_from(data.len()).unwrap()][..], &data];
        let client_data = self.client_data("webauthn.create", options["challenge"].as_str().unwrap());
        json!({
            "id": base64url(&self.id),
            "rawId": base64url(&self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(client_data.as_bytes()),
                "attestationObject": base64url(&object.concat()),
                "transports": ["internal", "carrier pigeon"],
            },
        })
    }

    /// Signs request options.
    pub(crate) fn get(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options["challenge"].as_str().unwrap());
        let data = self.data(self.flags);
        let message = [data.as_slice(), &sha256(client_data.as_bytes())].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        json!({
            "id": base64url(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(client_data.as_bytes()),
                "authenticatorData": base64url(&data),
                "signature": base64url(signature.as_ref()),
                "userHandle": self.user_handle,
            },
        })
    }

    fn client_data(&self, kind: &str, challenge: &str) -> String {
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false}).to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        [&sha256(self.host.as_bytes())[..], &[flags], &self.sign_count.to_be_bytes()].concat()
    }
}
