//! Project Wycheproof's signatures: exactly the valid ones are accepted.

use crate::support::hex;
use passkey::PublicKey;
use serde_json::Value;

fn judge(text: &str, key: impl Fn(&Value) -> Option<PublicKey>) -> [usize; 2] {
    let groups: Vec<Value> = serde_json::from_str(text).expect("JSON");
    let mut counts = [0, 0];
    for group in &groups {
        let key = key(&group["key"]);
        for test in group["tests"].as_array().expect("a list") {
            let bytes = |name: &str| hex(test[name].as_str().expect("a text"));
            let verified = key.as_ref().is_some_and(|key| key.verifies(&bytes("msg"), &bytes("sig")));
            // "Acceptable" are signatures that old standards permit; none of them is accepted.
            assert_eq!(verified, test["result"] == "valid", "{}: {}", test["tcId"], test["comment"]);
            counts[usize::from(verified)] += 1;
        }
    }
    counts
}

fn bytes(key: &Value, name: &str) -> Vec<u8> {
    hex(key[name].as_str().expect("a text"))
}

fn coordinate(key: &Value, name: &str) -> [u8; 32] {
    bytes(key, name).try_into().expect("32 bytes")
}

#[test]
fn es256() {
    let text = include_str!("wycheproof-ecdsa-secp256r1-sha256.json");
    let counts = judge(text, |key| PublicKey::p256(coordinate(key, "x"), coordinate(key, "y")));
    assert_eq!(counts.iter().sum::<usize>(), 484);
}

#[test]
fn eddsa() {
    let text = include_str!("wycheproof-ed25519.json");
    let counts = judge(text, |key| PublicKey::ed25519(coordinate(key, "x")));
    assert_eq!(counts.iter().sum::<usize>(), 151);
}

#[test]
fn rs256() {
    let text = include_str!("wycheproof-rsa-signature-2048-sha256.json");
    let counts = judge(text, |key| PublicKey::rsa(&bytes(key, "n"), &bytes(key, "e")));
    assert_eq!(counts.iter().sum::<usize>(), 259);
}
