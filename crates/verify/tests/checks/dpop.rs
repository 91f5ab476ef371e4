//! Proofs of possession with both kinds of keys.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use domain::encoding::base64url;
use postern_verify::Algorithm;
use postern_verify::dpop::{Proof, verify_any_url};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::jwk::{EcJwk, OkpJwk};

const URL: &str = "http://localhost:3000/price";

fn check(proof: &str, method: &str) -> Option<Proof> {
    verify_any_url(proof, method, &[Algorithm::Es256, Algorithm::EdDsa])
}

fn assemble(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", base64url(&signature))
}

fn p256(change: impl Fn(&mut Value, &mut Value)) -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = EcJwk::p256(base64url(&point[1..33]), base64url(&point[33..]));
    let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
    let mut claims = json!({"jti": "1", "htm": "GET", "htu": URL, "iat": 1, "nonce": "n", "ath": "h"});
    change(&mut header, &mut claims);
    assemble(&header, &claims, |message| pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec())
}

fn ed25519(change: impl Fn(&mut Value, &mut Value)) -> String {
    let pair = Ed25519KeyPair::generate().unwrap();
    let jwk = OkpJwk::ed25519(base64url(pair.public_key().as_ref()));
    let mut header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk});
    let mut claims = json!({"jti": "1", "htm": "GET", "htu": URL, "iat": 1, "nonce": "n", "ath": "h"});
    change(&mut header, &mut claims);
    assemble(&header, &claims, |message| pair.sign(message).as_ref().to_vec())
}

#[test]
fn both_kinds_of_key() {
    for proof in [p256(|_, _| {}), ed25519(|_, _| {})] {
        let good = check(&proof, "GET").unwrap();
        assert_eq!((good.jti.as_str(), good.nonce.as_deref(), good.ath.as_deref()), ("1", Some("n"), Some("h")));
        assert_eq!(check(&proof, "POST"), None);
    }
}

#[test]
fn each_check_of_the_rfc_refuses() {
    type Change = fn(&mut Value, &mut Value);
    let changes: [(&str, Change); 14] = [
        ("an extension", |header, _| header["crit"] = json!(["exp"])),
        ("no list of extensions", |header, _| header["crit"] = json!(null)),
        ("another encoding", |header, _| header["b64"] = json!(false)),
        ("typ", |header, _| header["typ"] = json!("JWT")),
        ("alg none", |header, _| header["alg"] = json!("none")),
        ("alg symmetric", |header, _| header["alg"] = json!("HS256")),
        ("no jwk", |header, _| header["jwk"] = json!(null)),
        ("private key", |header, _| header["jwk"]["d"] = json!("AAAA")),
        ("another curve", |header, _| header["jwk"]["crv"] = json!("P-384")),
        ("another type", |header, _| header["jwk"]["kty"] = json!("RSA")),
        ("another key", |header, _| header["jwk"]["x"] = json!("A".repeat(43))),
        ("no jti", |_, claims| claims["jti"] = json!(null)),
        ("long jti", |_, claims| claims["jti"] = json!("x".repeat(129))),
        ("no iat", |_, claims| claims["iat"] = json!(null)),
    ];
    for (name, change) in changes {
        assert_eq!(check(&p256(change), "GET"), None, "{name}");
        assert_eq!(check(&ed25519(change), "GET"), None, "{name}");
    }
    let other: Change = |_, claims| claims["htu"] = json!("http://localhost:3000/other");
    let signed = check(&p256(other), "GET").map(|proof| proof.htu);
    assert_eq!(signed.as_deref(), Some("http://localhost:3000/other"), "a good proof over another URL");
    let mixed = ed25519(|header, _| header["alg"] = json!("ES256"));
    assert_eq!(check(&mixed, "GET"), None);
}

proptest! {
    #[test]
    fn fuzz_possession_of_any_text(proof in ".{0,200}|[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}") {
        prop_assert_eq!(check(&proof, "GET"), None);
    }
}
