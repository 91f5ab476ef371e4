//! The specification's own vectors (Level 3, section "Test Vectors"): each is accepted unchanged, and with no bit
//! changed.

use crate::support::{self, hex};
use passkey::{Assertion, Expected, NewPasskey, PasskeyError, PublicKey, Registration};
use serde_json::Value;

/// The results that differ: frames of other origins, and algorithms that are not accepted.
const REFUSED: [(&str, PasskeyError); 5] = [
    ("ES256 Credential with \"crossOrigin\": true in clientDataJSON", PasskeyError::CrossOrigin),
    ("ES256 Credential with \"topOrigin\" in clientDataJSON", PasskeyError::CrossOrigin),
    ("Packed Attestation with ES384 Credential", PasskeyError::Algorithm),
    ("Packed Attestation with ES512 Credential", PasskeyError::Algorithm),
    ("Packed Attestation with Ed448 Credential", PasskeyError::Algorithm),
];

struct Vector {
    name: String,
    challenges: [Vec<u8>; 2],
    client_data: [Vec<u8>; 2],
    attestation_object: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
    credential_id: Vec<u8>,
    aaguid: Vec<u8>,
}

impl Vector {
    fn all() -> Vec<Self> {
        let text = include_str!("webauthn-level-3.json");
        let values: Vec<Value> = serde_json::from_str(text).expect("JSON");
        assert_eq!(values.len(), 15);
        values.iter().map(Self::read).collect()
    }

    fn read(value: &Value) -> Self {
        let [made, used] = ["registration", "authentication"].map(|part| &value[part]);
        let bytes = |part: &Value, name: &str| hex(part[name].as_str().expect("a text"));
        Self {
            name: value["name"].as_str().expect("a text").to_owned(),
            challenges: [made, used].map(|part| bytes(part, "challenge")),
            client_data: [made, used].map(|part| bytes(part, "clientDataJSON")),
            attestation_object: bytes(made, "attestationObject"),
            authenticator_data: bytes(used, "authenticatorData"),
            signature: bytes(used, "signature"),
            credential_id: bytes(made, "credential_id"),
            aaguid: bytes(made, "aaguid"),
        }
    }

    fn expected(&self, at: usize) -> Expected<'_> {
        Expected { relying_party: "example.org", origin: "https://example.org", challenge: &self.challenges[at] }
    }

    fn register(&self) -> Result<NewPasskey, PasskeyError> {
        let received =
            Registration { client_data_json: &self.client_data[0], attestation_object: &self.attestation_object };
        passkey::verify_registration(&self.expected(0), &received)
    }

    fn register_conditionally(&self) -> Result<NewPasskey, PasskeyError> {
        let received =
            Registration { client_data_json: &self.client_data[0], attestation_object: &self.attestation_object };
        passkey::verify_conditional_registration(&self.expected(0), &received)
    }

    fn assertion(&self) -> Assertion<'_> {
        Assertion {
            client_data_json: &self.client_data[1],
            authenticator_data: &self.authenticator_data,
            signature: &self.signature,
        }
    }

    fn refusal(&self) -> Option<PasskeyError> {
        REFUSED.iter().find(|(name, _)| *name == self.name).map(|(_, error)| *error)
    }

    /// Whether the authenticator verified the user, in both ceremonies; a few vectors have no UV bit.
    fn user_verified(&self) -> [bool; 2] {
        // `authData` begins with the hash of "example.org".
        let hash = &self.authenticator_data[..32];
        let at = self.attestation_object.windows(32).position(|window| window == hash).expect("authData");
        [self.attestation_object[at + 32], self.authenticator_data[32]].map(|flags| flags & 4 != 0)
    }
}

#[test]
fn registrations_are_read_as_the_specification_says() {
    let mut accepted = 0;
    for vector in Vector::all() {
        let result = vector.register();
        // A browser that makes it without asking need not verify the user. Everything else is the same.
        let conditional = vector.register_conditionally();
        match vector.refusal() {
            Some(error) => assert_eq!(conditional.err(), Some(error), "{}", vector.name),
            None => {
                let verified = conditional.map(|made| made.user_verified);
                assert_eq!(verified, Ok(vector.user_verified()[0]), "{}", vector.name);
            }
        }
        if let Some(error) = vector.refusal() {
            let unverified = !vector.user_verified()[0];
            assert!(
                result == Err(error) || (unverified && result == Err(PasskeyError::UserVerification)),
                "{}",
                vector.name
            );
            continue;
        }
        if !vector.user_verified()[0] {
            assert_eq!(result, Err(PasskeyError::UserVerification), "{}", vector.name);
            continue;
        }
        let made = result.expect(&vector.name);
        assert_eq!(made.credential_id, vector.credential_id, "{}", vector.name);
        assert_eq!(made.aaguid.as_slice(), vector.aaguid, "{}", vector.name);
        assert_eq!(PublicKey::from_cose(&made.public_key.to_cose()).as_ref(), Ok(&made.public_key), "{}", vector.name);
        accepted += 1;
    }
    assert!(accepted > 0);
}

#[test]
fn assertions_are_verified_as_the_specification_says() {
    let mut algorithms = Vec::new();
    for vector in Vector::all() {
        if vector.refusal().is_some_and(|error| error == PasskeyError::Algorithm) {
            continue;
        }
        let key = support::key_in(&vector.attestation_object);
        let result = passkey::verify_assertion(&vector.expected(1), &key, &vector.assertion());
        match (vector.refusal(), vector.user_verified()[1]) {
            (Some(error), _) => assert_eq!(result, Err(error), "{}", vector.name),
            (None, false) => assert_eq!(result, Err(PasskeyError::UserVerification), "{}", vector.name),
            (None, true) => assert_eq!(result.expect(&vector.name).sign_count, 0, "{}", vector.name),
        }
        // The signature itself is right in each of them.
        let hash = support::sha256(&vector.client_data[1]);
        assert!(
            key.verifies(&[vector.authenticator_data.as_slice(), &hash].concat(), &vector.signature),
            "{}",
            vector.name
        );
        algorithms.push(key.algorithm());
    }
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        assert!(algorithms.contains(&algorithm), "no vector with {algorithm}");
    }
}

#[test]
fn no_bit_of_an_assertion_may_change() {
    for vector in Vector::all() {
        if vector.refusal().is_some() {
            continue;
        }
        let key = support::key_in(&vector.attestation_object);
        let judge = |parts: &[Vec<u8>; 3]| {
            let [client_data_json, authenticator_data, signature] = parts;
            passkey::verify_assertion(
                &vector.expected(1),
                &key,
                &Assertion { client_data_json, authenticator_data, signature },
            )
        };
        let parts = [vector.client_data[1].clone(), vector.authenticator_data.clone(), vector.signature.clone()];
        for part in 0..parts.len() {
            for bit in 0..parts[part].len() * 8 {
                let mut changed = parts.clone();
                changed[part][bit / 8] ^= 1 << (bit % 8);
                assert!(judge(&changed).is_err(), "{}: part {part}, bit {bit}", vector.name);
            }
            let mut longer = parts.clone();
            longer[part].push(0);
            assert!(judge(&longer).is_err(), "{}: part {part} with one byte more", vector.name);
        }
    }
}

#[test]
fn ceremonies_and_challenges_are_not_mixed_up() {
    for vector in Vector::all().iter().filter(|vector| vector.refusal().is_none()) {
        let key = support::key_in(&vector.attestation_object);
        let got = passkey::verify_assertion(&vector.expected(0), &key, &vector.assertion());
        assert_eq!(got, Err(PasskeyError::Challenge), "{}", vector.name);
        let swapped = Assertion { client_data_json: &vector.client_data[0], ..vector.assertion() };
        assert_eq!(passkey::verify_assertion(&vector.expected(0), &key, &swapped), Err(PasskeyError::Type));
        for origin in
            ["https://example.org:443", "https://example.org/", "http://example.org", "https://ample.org", "org", ""]
        {
            let expected = Expected { origin, ..vector.expected(1) };
            let got = passkey::verify_assertion(&expected, &key, &vector.assertion());
            assert_eq!(got, Err(PasskeyError::Origin), "{origin}");
        }
        let expected = Expected { relying_party: "org", ..vector.expected(1) };
        let got = passkey::verify_assertion(&expected, &key, &vector.assertion());
        assert_eq!(got, Err(PasskeyError::RelyingParty));
    }
}
