//! Forged tokens: none is good, and nobody learns why.

use crate::client::{APP, World};
use crate::issuer::SigningKey;
use axum::http::StatusCode;
use domain::encoding::base64url;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn encode(value: &Value) -> String {
    base64url(value.to_string().as_bytes())
}

fn with(name: &str, value: Value) -> Value {
    let mut header = World::header();
    header[name] = value;
    header
}

/// HS256 under what anybody can read.
fn hmac(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    format!("{message}.{}", base64url(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref()))
}

#[tokio::test]
async fn forged_tokens_all_get_the_same_answer() {
    let world = World::start().await;
    let (good, claims) = (world.token(), World::claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let (stranger, stranger_too) = (SigningKey::es256(), SigningKey::ed_dsa());
    let public = world.issuer.answer.lock().unwrap().body.clone();
    let jwk = world.key.jwk("one");
    let hs = with("alg", json!("HS256"));
    let mut root = claims.clone();
    root["roles"] = json!(["administrator"]);
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        world.key.sign(&World::header(), &claims)
    };
    let signed = |header: &Value| world.key.sign(header, &claims);
    // A claim said twice: whoever takes the first and whoever takes the last must not differ.
    let twice = |text: &str| {
        let payload = claims.to_string().replacen('{', &format!("{{{text},"), 1);
        world.key.sign_text(&World::header().to_string(), &payload)
    };
    let twice_in_header =
        world.key.sign_text(&World::header().to_string().replacen('{', r#"{"alg":"none","#, 1), &claims.to_string());
    let mut forged = vec![
        ("none", format!("{}.{payload}.", encode(&with("alg", json!("none"))))),
        ("None", format!("{}.{payload}.{signature}", encode(&with("alg", json!("None"))))),
        ("no signature", format!("{message}.")),
        ("HS256 with the key set", hmac(&hs, &root, public.as_bytes())),
        ("HS256 with the key", hmac(&hs, &root, jwk.to_string().as_bytes())),
        ("HS256 with its x", hmac(&hs, &root, jwk["x"].as_str().unwrap().as_bytes())),
        ("signed right, called HS256", signed(&hs)),
        ("signed right, called ES384", signed(&with("alg", json!("ES384")))),
        ("signed right, called EdDSA", signed(&with("alg", json!("EdDSA")))),
        ("another curve", stranger_too.sign(&with("alg", json!("EdDSA")), &claims)),
        ("a stranger's", stranger.sign(&World::header(), &root)),
        ("another payload", format!("{}.{}.{signature}", encode(&World::header()), encode(&root))),
        ("all zeros", format!("{message}.{}", base64url(&[0; 64]))),
        ("kid up the tree", stranger.sign(&with("kid", json!("../../etc/passwd")), &root)),
        ("kid of SQL", stranger.sign(&with("kid", json!("' OR 1=1 --")), &root)),
        ("kid a number", stranger.sign(&with("kid", json!(1)), &root)),
        ("no kid", signed(&with("kid", json!(null)))),
        ("jwk", stranger.sign(&with("jwk", stranger.jwk("one")), &root)),
        ("a file", stranger.sign(&with("kid", json!("file:///dev/null")), &root)),
        ("crit", signed(&with("crit", json!(["exp"])))),
        (
            "b64",
            signed(
                &with("b64", json!(false))
                    .as_object()
                    .map(|header| {
                        let mut header = header.clone();
                        header.insert("crit".to_owned(), json!(["b64"]));
                        Value::Object(header)
                    })
                    .unwrap(),
            ),
        ),
        ("a ticket", signed(&with("typ", json!("ticket+jwt")))),
        ("a proof", signed(&with("typ", json!("dpop+jwt")))),
        ("a list", signed(&with("typ", json!("revocations+jwt")))),
        ("any JWT", signed(&with("typ", json!("JWT")))),
        ("no typ", signed(&with("typ", json!(null)))),
        ("another issuer", changed("iss", json!("https://evil.example"))),
        ("another audience", changed("aud", json!("https://other.example"))),
        ("no session", changed("sid", json!(null))),
        ("no end", changed("exp", json!(null))),
        ("an end in words", changed("exp", json!("never"))),
        ("a large end", changed("exp", json!(1e30))),
        ("over", changed("exp", json!(crate::client::NOW / 1000 - 30))),
        ("not yet", changed("nbf", json!(crate::client::NOW / 1000 + 31))),
        ("no person", changed("sub", json!(null))),
        ("roles in one word", changed("roles", json!("administrator"))),
        ("two people", twice(r#""sub":"root""#)),
        ("two ends", twice(r#""exp":99999999999"#)),
        ("two audiences", twice(&format!(r#""aud":"{APP}""#))),
        ("two algorithms", twice_in_header),
        ("truncated", good[..good.len() - 4].to_owned()),
        ("longer", format!("{good}A")),
        ("padded", format!("{good}==")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts", "a.b.c.d.e".to_owned()),
        ("dots", "..".to_owned()),
        ("a letter", "a".to_owned()),
        ("huge", format!("{}.{payload}.{signature}", "a".repeat(100_000))),
        ("deep", format!("{}.{payload}.{signature}", base64url("[".repeat(9_000).as_bytes()))),
    ];
    for name in ["jku", "x5u"] {
        let url = format!("{}{}", world.issuer.origin, "/evil.json");
        forged.push((name, stranger.sign(&with(name, json!(url)), &root)));
        // It is only not looked at: what is signed right stays good.
        assert_eq!(world.bearer(&signed(&with(name, json!(url)))).await.status, StatusCode::OK, "{name}");
    }
    let mut texts = BTreeSet::new();
    for (name, token) in forged {
        let answer = world.bearer(&token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        texts.insert((answer.text.clone(), answer.challenges().join(" ")));
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(world.bearer(&good).await.status, StatusCode::OK);
    assert_eq!(world.issuer.asked(), 1, "and nobody was asked for what a token names");
}
