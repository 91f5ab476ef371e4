//! The results of the Python package fido2 for about 500 assertions and 350 registrations (`fido2_cases.py`). We refuse all
//! that it refuses, and accept all that it accepts, except where the specification requires more. Registrations that a
//! browser makes automatically need no present user, which fido2 always demands.

use crate::support;
use base64ct::{Base64UrlUnpadded, Encoding};
use passkey::{Assertion, Expected, NewPasskey, PasskeyError, PublicKey, Registration};
use serde_json::Value;

const EXPECTED: Expected =
    Expected { relying_party: "example.org", origin: "https://example.org", challenge: &[5; 32] };

/// The reasons for which our result may be stricter: frames (section 5.8.1), and the form of authenticator data
/// (section 6.1).
const STRICTER: [PasskeyError; 2] = [PasskeyError::CrossOrigin, PasskeyError::AuthenticatorData];

fn bytes(value: &Value) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(value.as_str().expect("a text")).expect("base64url")
}

#[test]
fn both_give_the_same_verdicts() {
    let groups: Vec<Value> = serde_json::from_str(include_str!("fido2.json")).expect("JSON");
    let (mut accepted, mut refused, mut stricter) = (0, 0, Vec::new());
    for group in &groups {
        let key = PublicKey::from_cose(&bytes(&group["key"])).expect("a key");
        assert_eq!(key.algorithm(), group["algorithm"]);
        for case in group["cases"].as_array().expect("a list") {
            let (client, data, signature) = (bytes(&case["client"]), bytes(&case["data"]), bytes(&case["signature"]));
            let received = Assertion { client_data_json: &client, authenticator_data: &data, signature: &signature };
            let verdict = passkey::verify_assertion(&EXPECTED, &key, &received);
            match (case["accepted"] == true, verdict) {
                (true, Ok(_)) => accepted += 1,
                (false, Err(_)) => refused += 1,
                (true, Err(reason)) if STRICTER.contains(&reason) => {
                    stricter.push(case["about"].as_str().expect("a text"));
                }
                (theirs, ours) => panic!("{} {}: {theirs} and {ours:?}", group["algorithm"], case["about"]),
            }
        }
    }
    assert!(accepted > 20 && refused > 300, "{accepted} {refused}");
    println!("stricter: {stricter:?}");
}

/// Further reasons for registrations: an attestation object or a key that is cut off (section 6.5), and the length of an
/// id (section 5.8.3).
const STRICTER_REGISTRATIONS: [PasskeyError; 5] = [
    PasskeyError::CrossOrigin,
    PasskeyError::AuthenticatorData,
    PasskeyError::AttestationObject,
    PasskeyError::PublicKey,
    PasskeyError::CredentialId,
];

/// Returns the first flags of the authenticator data in an attestation object.
fn flags(object: &[u8]) -> Option<u8> {
    let hash = support::sha256(b"example.org");
    let at = object.windows(32).position(|window| window == hash)?;
    object.get(at + 32).copied()
}

#[test]
fn both_give_the_same_verdicts_about_registrations() {
    let groups: Vec<Value> = serde_json::from_str(include_str!("fido2-registrations.json")).expect("JSON");
    let (mut accepted, mut refused, mut unattended, mut stricter) = (0, 0, 0, Vec::new());
    for group in &groups {
        for case in group["cases"].as_array().expect("a list") {
            let (client, object) = (bytes(&case["client"]), bytes(&case["object"]));
            let received = Registration { client_data_json: &client, attestation_object: &object };
            let about = format!("{} {}", group["algorithm"], case["about"]);
            let absent = flags(&object).is_some_and(|flags| flags & 1 == 0);
            let mut compare =
                |theirs: bool, ours: Result<NewPasskey, PasskeyError>, conditional: bool| match (theirs, ours) {
                    (true, Ok(made)) => {
                        assert_eq!(made.public_key.algorithm(), group["algorithm"], "{about}");
                        let is_verified = flags(&object).is_some_and(|flags| flags & 5 == 5);
                        assert_eq!(made.user_verified, is_verified, "{about}");
                        accepted += 1;
                    }
                    (false, Err(_)) => refused += 1,
                    (true, Err(reason)) if STRICTER_REGISTRATIONS.contains(&reason) => stricter.push(about.clone()),
                    (false, Ok(made)) if conditional && absent => {
                        assert!(!made.user_verified, "{about}");
                        unattended += 1;
                    }
                    (theirs, ours) => panic!("{about}: {theirs} and {ours:?}"),
                };
            compare(case["verified"] == true, passkey::verify_registration(&EXPECTED, &received), false);
            compare(case["any"] == true, passkey::verify_conditional_registration(&EXPECTED, &received), true);
        }
    }
    assert!(accepted > 60 && refused > 300 && unattended > 20, "{accepted} {refused} {unattended}");
    println!("stricter: {stricter:?}");
}
