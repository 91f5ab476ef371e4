//! The results of the Python package fido2 for about 500 assertions (`fido2_cases.py`). We refuse all that it
//! refuses, and accept all that it accepts, except where the specification requires more.

use base64ct::{Base64UrlUnpadded, Encoding};
use passkey::{Assertion, Expected, PasskeyError, PublicKey};
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
