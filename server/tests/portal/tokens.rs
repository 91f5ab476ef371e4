//! Access tokens and what is no access token.

use crate::support::{ClientKey, Portal};
use domain::encoding::{base64url, from_base64url};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

#[tokio::test]
async fn the_key_set_is_public_and_named_by_thumbprint() {
    let portal = Portal::start().await;
    let answer = portal.program("203.0.113.7").get(paths::JWKS).await;
    let key = &answer.json()["keys"][0];
    assert_eq!(key["d"], Value::Null);
    assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
    let input = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
    assert_eq!(key["kid"], base64url(&domain::encoding::sha256(input.as_bytes())));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let metadata = portal.program("203.0.113.7").get(paths::METADATA).await.json();
    assert_eq!(metadata["jwks_uri"], "http://localhost:3000/.well-known/jwks.json");
}

#[tokio::test]
async fn forged_tokens_all_get_the_same_answer() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let good = alice.cookie("access");
    let mut parts = good.split('.');
    let (header, payload, signature) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let header: Value = serde_json::from_slice(&from_base64url(header).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap();
    assert_eq!(header["typ"], "at+jwt");
    for claim in ["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "sid", "gen", "client_id"] {
        assert_ne!(claims[claim], Value::Null, "{claim}");
    }

    let encode = |value: &Value| base64url(value.to_string().as_bytes());
    let with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let stranger = ClientKey::generate();
    let mut root = claims.clone();
    root["roles"] = json!(["administrator"]);
    let mut forged = vec![
        format!("{}.{payload}.", encode(&with("alg", json!("none")))),
        format!("{}.{payload}.{signature}", encode(&with("alg", json!("none")))),
        format!("{}.{payload}.{signature}", encode(&with("alg", json!("HS256")))),
        format!("{}.{payload}.{signature}", encode(&with("alg", json!("ES384")))),
        format!("{}.{payload}.{signature}", encode(&with("typ", json!("JWT")))),
        format!("{}.{}.{signature}", encode(&header), encode(&root)),
        format!("{}.{payload}.{}", encode(&header), "A".repeat(86)),
        stranger.sign(&header, &claims),
        stranger.sign(&with("kid", json!("../../etc/passwd")), &claims),
        stranger.sign(&with("kid", json!("' OR 1=1 --")), &claims),
        stranger.sign(&with("jku", json!("http://127.0.0.1:1/keys")), &claims),
        stranger.sign(&with("jwk", serde_json::to_value(stranger.public()).unwrap()), &claims),
        stranger.sign(&with("crit", json!(["x"])), &claims),
        alice.cookie("refresh"),
        good[..good.len() - 4].to_owned(),
        "a".repeat(10_000),
        String::new(),
        "..".to_owned(),
        "\u{7f}".replace('\u{7f}', "x.y.z"),
    ];
    forged.push(format!("{good}A"));
    let program = portal.program("203.0.113.7");
    let mut texts = std::collections::BTreeSet::new();
    for token in forged {
        let answer =
            program.send(Method::GET, paths::SESSION, None, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        texts.insert(answer.text);
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_longest_name_fits_into_its_cookies() {
    let portal = Portal::start().await;
    let name = "\u{20000}".repeat(64);
    portal.add_user(&name).await;
    let visitor = portal.browser("203.0.113.7");
    let answer = visitor.login(&name, crate::support::PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    for cookie in answer.headers.get_all("set-cookie") {
        assert!(cookie.len() <= 4096, "{} bytes", cookie.len());
    }
}
