use crate::issuer::{Issuer, SigningKey};
use domain::UnixMs;
use postern_verify::{ExpectedClaims, Jwks, Keys, PublicKey, TokenError, Verifier};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

const NOW: UnixMs = UnixMs::from_millis(1_000_000_000);
const EXPECTED: ExpectedClaims<'_> =
    ExpectedClaims { typ: "ticket+jwt", issuer: "https://portal.example", audience: "time" };

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Claims {
    sub: String,
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": EXPECTED.typ, "alg": key.alg(), "kid": "one"})
}

fn claims() -> Value {
    let now = NOW.to_seconds();
    json!({"iss": EXPECTED.issuer, "aud": "time", "sub": "ada", "nbf": now, "exp": now + 300})
}

fn public(key: &SigningKey) -> PublicKey {
    let set = json!({"keys": [key.jwk("one")]}).to_string();
    Keys::parse(set.as_bytes()).unwrap().get("one").unwrap().clone()
}

fn verify(token: &str, key: &PublicKey, now: UnixMs) -> Result<Claims, String> {
    postern_verify::verify(token, key, EXPECTED, now).map_err(|error| format!("{error:?}"))
}

#[test]
fn a_good_token_gives_its_claims() {
    for key in [SigningKey::es256(), SigningKey::ed_dsa()] {
        let token = key.sign(&header(&key), &claims());
        assert_eq!(verify(&token, &public(&key), NOW).unwrap().sub, "ada");
        let mut several = claims();
        several["aud"] = json!(["mail", "time"]);
        assert!(verify(&key.sign(&header(&key), &several), &public(&key), NOW).is_ok());
    }
}

#[test]
fn each_kind_of_error_is_reported() {
    type Change = fn(&mut Value, &mut Value);
    let changes: [(&str, Change, &str); 19] = [
        ("another kind", |header, _| header["typ"] = json!("at+jwt"), "Malformed"),
        ("no kind", |header, _| header["typ"] = json!(null), "Malformed"),
        ("no algorithm", |header, _| header["alg"] = json!("none"), "Malformed"),
        ("a symmetric algorithm", |header, _| header["alg"] = json!("HS256"), "Malformed"),
        ("the other algorithm", |header, _| header["alg"] = json!("EdDSA"), "Malformed"),
        ("an extension", |header, _| header["crit"] = json!(["b64"]), "Malformed"),
        ("no list of extensions", |header, _| header["crit"] = json!(null), "Malformed"),
        ("another encoding", |header, _| header["b64"] = json!(false), "Malformed"),
        ("no key named", |header, _| header["kid"] = json!(null), "Malformed"),
        ("another issuer", |_, claims| claims["iss"] = json!("https://other.example"), "Issuer"),
        ("another audience", |_, claims| claims["aud"] = json!("mail"), "Audience"),
        ("other audiences", |_, claims| claims["aud"] = json!(["mail", "times"]), "Audience"),
        ("no audience", |_, claims| claims["aud"] = json!(null), "Claims"),
        ("no issuer", |_, claims| claims["iss"] = json!(null), "Claims"),
        ("no end", |_, claims| claims["exp"] = json!(null), "Claims"),
        ("no beginning", |_, claims| claims["nbf"] = json!(null), "Claims"),
        ("over", |_, claims| claims["exp"] = json!(NOW.to_seconds() - 30), "Expired"),
        ("too early", |_, claims| claims["nbf"] = json!(NOW.to_seconds() + 31), "TooEarly"),
        ("not its claims", |_, claims| claims["sub"] = json!(7), "Claims"),
    ];
    let key = SigningKey::es256();
    for (name, change, error) in changes {
        let (mut header, mut claims) = (header(&key), claims());
        change(&mut header, &mut claims);
        assert_eq!(verify(&key.sign(&header, &claims), &public(&key), NOW), Err(error.to_owned()), "{name}");
    }
}

#[test]
fn clocks_may_differ_by_half_a_minute() {
    let key = SigningKey::es256();
    let token = key.sign(&header(&key), &claims());
    for (now, good) in [(-31_000, false), (-30_000, true), (329_000, true), (330_000, false)] {
        assert_eq!(verify(&token, &public(&key), NOW + now).is_ok(), good, "{now}");
    }
}

#[test]
fn only_its_own_key_signs_it() {
    let (key, other) = (SigningKey::es256(), SigningKey::es256());
    let token = key.sign(&header(&key), &claims());
    assert_eq!(verify(&token, &public(&other), NOW), Err("Signature".to_owned()));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut root = claims();
    root["sub"] = json!("root");
    let forged = other.sign(&header(&key), &root);
    let forged = format!("{}.{signature}", forged.rsplit_once('.').unwrap().0);
    for token in [&forged, message, "", "a", "..", &format!("{message}."), &"a".repeat(20_000)] {
        assert!(verify(token, &public(&key), NOW).is_err(), "{token}");
    }
}

#[tokio::test]
async fn a_verifier_finds_the_key_by_itself() {
    let (issuer, key, next) = (Issuer::start().await, SigningKey::es256(), SigningKey::ed_dsa());
    issuer.publish(&[("one", &key), ("two", &next)]);
    let verifier = Verifier {
        keys: Jwks::new(&issuer.url).unwrap(),
        issuer: EXPECTED.issuer.to_owned(),
        audience: "time".to_owned(),
        revocations: None,
    };
    let verify = async |token: String| verifier.verify::<Claims>(&token, EXPECTED.typ, NOW).await;
    assert_eq!(verify(key.sign(&header(&key), &claims())).await.unwrap().sub, "ada");
    let with_kid = |kid: &str| json!({"typ": EXPECTED.typ, "alg": "EdDSA", "kid": kid});
    assert!(verify(next.sign(&with_kid("two"), &claims())).await.is_ok());
    assert!(matches!(verify(next.sign(&with_kid("three"), &claims())).await, Err(TokenError::UnknownKey)));
    // The key determines the algorithm: a token cannot choose another.
    assert!(matches!(verify(next.sign(&with_kid("one"), &claims())).await, Err(TokenError::Malformed)));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in ".{0,200}", parts in proptest::collection::vec("[A-Za-z0-9_-]{0,60}", 3)) {
        let key = public(&SigningKey::EdDsa(aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap()));
        prop_assert!(verify(&text, &key, NOW).is_err());
        prop_assert!(verify(&parts.join("."), &key, NOW).is_err());
        prop_assert!(postern_verify::dpop::verify(&parts.join("."), "HELLO", "time").is_none());
        drop(Keys::parse(&bytes));
        drop(Keys::parse(text.as_bytes()));
    }
}
