//! Passkeys: accepted ones are signed, present and verified, for this site and this challenge; nothing panics.

use crate::{input, signing};
use domain::encoding::{base64url, from_base64url, sha256};
use passkey::{Assertion, Expected, PublicKey, Registration};
use serde_json::Value;

const CHALLENGE: [u8; 32] = [5; 32];
const ORIGIN: &str = "https://portal.example";
const EXPECTED: Expected = Expected { relying_party: "portal.example", origin: ORIGIN, challenge: &CHALLENGE };

/// Checks `data`: client data, a line break, and a public key, an attestation object or authenticator data. The last is
/// signed here; `{challenge}` and `{site}` are placeholders for the challenge and the hash of the site's host.
pub(crate) fn check(data: &[u8]) {
    let (client_data, rest) = input::halves(data);
    let client_data = replaced(client_data, b"{challenge}", base64url(&CHALLENGE).as_bytes());
    let rest = replaced(rest, b"{site}", &sha256(b"portal.example"));
    if let Ok(key) = PublicKey::from_cose(&rest) {
        assert_eq!(PublicKey::from_cose(&key.to_cose()), Ok(key), "what was written is read");
    }
    let received = Registration { client_data_json: &client_data, attestation_object: &rest };
    let attended = passkey::verify_registration(&EXPECTED, &received);
    let conditional = passkey::verify_conditional_registration(&EXPECTED, &received);
    if let Ok(made) = conditional {
        judge(&client_data, "webauthn.create");
        assert!((1..=passkey::MAX_CREDENTIAL_ID).contains(&made.credential_id.len()));
        assert_eq!(attended.is_ok(), made.user_verified, "only the user's presence and verification may be missing");
        assert_eq!(PublicKey::from_cose(&made.public_key.to_cose()), Ok(made.public_key), "a stored key is read");
    } else {
        assert!(attended.is_err(), "a conditional registration needs no more than another");
    }
    let message = [rest.as_slice(), &sha256(&client_data)].concat();
    let signature = signing::p256_der(&message);
    let received =
        Assertion { client_data_json: &client_data, authenticator_data: &rest, signature: signature.as_slice() };
    if passkey::verify_assertion(&EXPECTED, &key(), &received).is_ok() {
        judge(&client_data, "webauthn.get");
        assert_eq!(rest[..32], sha256(b"portal.example"));
        assert_eq!(rest[32] & 0b101, 0b101, "the user was present and verified");
    }
}

fn judge(client_data: &[u8], kind: &str) {
    let said: Value = serde_json::from_slice(client_data).expect("JSON");
    assert_eq!((said["type"].as_str(), said["origin"].as_str()), (Some(kind), Some(ORIGIN)));
    assert_eq!(said["challenge"].as_str(), Some(base64url(&CHALLENGE).as_str()));
    assert!(said["crossOrigin"] != true && said["topOrigin"].is_null(), "a frame of another origin");
}

fn key() -> PublicKey {
    let part = |text| from_base64url(text).and_then(|bytes| bytes.try_into().ok()).expect("a coordinate");
    PublicKey::p256(part(signing::P256_X), part(signing::P256_Y)).expect("a point")
}

/// Replaces the first occurrence.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match bytes.windows(from.len()).position(|window| window == from) {
        Some(at) => [&bytes[..at], to, &bytes[at + from.len()..]].concat(),
        None => bytes.to_vec(),
    }
}
