//! Access tokens, and other strings that are none.

use crate::support::Portal;
use domain::encoding::{base64url, from_base64url};
use http::StatusCode;
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
async fn a_token_says_what_the_profile_asks_for() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let token = alice.cookie("access");
    let part = |n: usize| -> Value {
        let part = token.split('.').nth(n).and_then(from_base64url).unwrap();
        serde_json::from_slice(&part).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    for claim in ["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "sid", "gen", "client_id"] {
        assert_ne!(claims[claim], Value::Null, "{claim}");
    }
}

#[tokio::test]
async fn tokens_and_sessions_say_when_and_how_the_person_was_authenticated() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let signed_in_at = portal.state.now().to_seconds();
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let expected = json!([signed_in_at, ["pwd"], "urn:postern:acr:1"]);
    let said = |value: &Value| json!([value["auth_time"], value["amr"], value["acr"]]);
    let claims = |token: String| -> Value {
        serde_json::from_slice(&token.split('.').nth(1).and_then(from_base64url).unwrap()).unwrap()
    };
    assert_eq!(said(&claims(alice.cookie("access"))), expected);
    // A refresh is no proof of the person.
    portal.advance(120_000).await;
    assert_eq!(said(&alice.refresh().await.json()["session"]), expected);
    assert_eq!(said(&claims(alice.cookie("access"))), expected);
    assert_eq!(said(&alice.get(paths::SESSION).await.json()), expected);
    assert_eq!(said(&alice.get(paths::SESSIONS).await.json()["devices"][0]), expected);
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
