//! Tokens are signed and verified by the key's own algorithm, through the provider of the process.
#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use jose::{Algorithm, Error, KeyPair, PublicKey};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

fn base64url(bytes: &[u8]) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::encode_string(bytes)
}

fn pair(algorithm: Algorithm) -> KeyPair {
    KeyPair::from_pkcs8(algorithm, &KeyPair::generate(algorithm).unwrap()).unwrap()
}

fn public(pair: &KeyPair) -> PublicKey {
    match pair.algorithm() {
        Algorithm::Es256 => PublicKey::p256(&base64url(&pair.public()[1..33]), &base64url(&pair.public()[33..])),
        Algorithm::EdDsa => PublicKey::ed25519(&base64url(pair.public())),
        Algorithm::Rs256 => {
            let (n, e) = pair.rsa_components().unwrap();
            PublicKey::rsa(&base64url(&n), &base64url(&e))
        }
    }
    .unwrap()
}

#[test]
fn a_token_is_good_under_its_own_key_alone() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let (one, two) = (pair(algorithm), pair(algorithm));
        let token = one.sign("at+jwt", "a", &json!({"sub": "ada"})).unwrap();
        for key in [public(&one), public(&one).parsed().unwrap()] {
            assert_eq!(key.verify::<Value>(&token).unwrap(), json!({"sub": "ada"}));
        }
        for key in [public(&two), public(&two).parsed().unwrap()] {
            assert!(matches!(key.verify::<Value>(&token), Err(Error::Signature)));
        }
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!((header.typ.as_deref(), header.kid.as_deref()), (Some("at+jwt"), Some("a")));
    }
}

#[test]
fn the_header_does_not_choose_the_algorithm() {
    let (es256, eddsa) = (pair(Algorithm::Es256), pair(Algorithm::EdDsa));
    let token = eddsa.sign("at+jwt", "a", &json!({})).unwrap();
    assert!(matches!(public(&es256).verify::<Value>(&token), Err(Error::Malformed)));
    // An HMAC whose secret is the public key, which everybody knows.
    let secret = EncodingKey::from_secret(eddsa.public()).unwrap();
    let forged = jsonwebtoken::encode(&Header::default(), &json!({}), &secret).unwrap();
    assert!(matches!(public(&eddsa).parsed().unwrap().verify::<Value>(&forged), Err(Error::Malformed)));
}

#[test]
fn extensions_are_refused() {
    let pair = pair(Algorithm::EdDsa);
    let (head, rest) = {
        let token = pair.sign("at+jwt", "a", &json!({})).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        (json!({"typ": "at+jwt", "alg": "EdDSA", "crit": ["exp"], "exp": 1}), rest.to_owned())
    };
    let token = format!("{}.{rest}", base64url(head.to_string().as_bytes()));
    assert!(matches!(public(&pair).verify::<Value>(&token), Err(Error::Malformed)));
}

#[test]
fn a_point_that_is_not_on_the_curve_is_no_key() {
    let zero = base64url(&[0; 32]);
    assert!(PublicKey::p256(&zero, &zero).unwrap().parsed().is_none());
    assert!(PublicKey::p256(&zero, "AA").is_none());
    assert!(PublicKey::ed25519("AA").is_none());
}

/// A program around us may use `jsonwebtoken` for keys of its own.
#[test]
fn keys_of_others_go_to_the_provider_of_the_package() {
    let ours = pair(Algorithm::EdDsa);
    let (secret, key) = (EncodingKey::from_secret(b"secret").unwrap(), DecodingKey::from_secret(b"secret").unwrap());
    let token = jsonwebtoken::encode(&Header::default(), &json!({"exp": 1}), &secret).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.validate_exp = false;
    assert!(jsonwebtoken::decode::<Value>(&token, &key, &validation).is_ok());
    drop(ours);
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", pair(Algorithm::Es256)), "KeyPair(ES256)");
}
