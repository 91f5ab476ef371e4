//! The layer as a client sees it: RFC 6750, RFC 9449.

use crate::client::{APP, NOW, World};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const BEARER: &str = r#"Bearer realm="https://app.example""#;
const DPOP: &str = r#"DPoP realm="https://app.example", algs="ES256""#;

type Headers<'a> = &'a [(&'a str, &'a str)];
type Change = fn(&mut Value, &mut Value);

#[tokio::test]
async fn a_good_token_reaches_the_handler_with_its_claims() {
    let world = World::start().await;
    let answer = world.bearer(&world.token()).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ada"));
    let token = world.bound();
    let answer = world.dpop(&token, &world.proof(&token, |_, _| {})).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ada"));
    let lower = world.get(&[("authorization", &format!("bearer  {}", world.token()))]).await;
    assert_eq!(lower.status, StatusCode::OK);
}

#[tokio::test]
async fn the_challenges_are_those_of_the_standards() {
    let world = World::start().await;
    let (token, bound) = (world.token(), world.bound());
    let (bearer, dpop) = (format!("Bearer {token}"), format!("DPoP {bound}"));
    let (bound_as_bearer, unbound_as_dpop) = (format!("Bearer {bound}"), format!("DPoP {token}"));
    let proof = world.proof(&token, |_, _| {});
    let (bad, bad_proof) = (r#", error="invalid_token""#, r#", error="invalid_dpop_proof""#);
    let unauthorized = StatusCode::UNAUTHORIZED;
    let table: [(&str, Headers<'_>, StatusCode, &str, &str); 11] = [
        ("nothing", &[], unauthorized, "", ""),
        ("another scheme", &[("authorization", "Basic eDp5")], unauthorized, "", ""),
        ("no token", &[("authorization", "Bearer ")], unauthorized, bad, ""),
        ("one word", &[("authorization", "x")], unauthorized, "", ""),
        (
            "two tokens",
            &[("authorization", &bearer), ("authorization", &bearer)],
            StatusCode::BAD_REQUEST,
            r#", error="invalid_request""#,
            "",
        ),
        ("no good token", &[("authorization", "Bearer x")], unauthorized, bad, ""),
        ("no characters of a token", &[("authorization", "Bearer x é")], unauthorized, bad, ""),
        ("no good bound token", &[("authorization", "DPoP x"), ("dpop", &proof)], unauthorized, "", bad),
        // RFC 9449, section 7.2.
        ("a bound token as if it were none", &[("authorization", &bound_as_bearer)], unauthorized, bad, ""),
        (
            "an unbound token with a proof",
            &[("authorization", &unbound_as_dpop), ("dpop", &proof)],
            unauthorized,
            "",
            bad,
        ),
        ("no proof", &[("authorization", &dpop)], unauthorized, "", bad_proof),
    ];
    for (name, headers, status, on_bearer, on_dpop) in table {
        let answer = world.get(headers).await;
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.challenges(), [format!("{BEARER}{on_bearer}"), format!("{DPOP}{on_dpop}")], "{name}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        serde_json::from_str::<Value>(&answer.text).unwrap();
    }
}

/// Checks each condition of RFC 9449, section 4.3, by its number there.
#[tokio::test]
async fn each_check_of_a_proof_refuses() {
    let world = World::start().await;
    let token = world.bound();
    let authorization = format!("DPoP {token}");
    let (one, two) = (world.proof(&token, |_, _| {}), world.proof(&token, |_, _| {}));
    let refused = |answer: &crate::client::Answer, name: &str| {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(answer.challenges()[1].ends_with(r#"error="invalid_dpop_proof""#), "{name}");
    };
    let twice = world.get(&[("authorization", &authorization), ("dpop", &one), ("dpop", &two)]).await;
    refused(&twice, "1: two headers");
    refused(&world.dpop(&token, "no.j.wt").await, "2: no JWT");
    refused(&world.dpop(&token, &format!("{one}, {two}")).await, "2: two in one header");

    let changes: [(&str, Change); 22] = [
        ("3: no jti", |_, claims| claims["jti"] = json!(null)),
        ("3: no htm", |_, claims| claims["htm"] = json!(null)),
        ("3: no htu", |_, claims| claims["htu"] = json!(null)),
        ("3: no iat", |_, claims| claims["iat"] = json!(null)),
        ("3: no ath", |_, claims| drop(claims.as_object_mut().unwrap().remove("ath"))),
        ("4: another typ", |header, _| header["typ"] = json!("jwt")),
        ("5: no algorithm", |header, _| header["alg"] = json!("none")),
        ("5: a symmetric algorithm", |header, _| header["alg"] = json!("HS256")),
        ("5: one that is not offered", |header, _| header["alg"] = json!("RS256")),
        ("6: no key", |header, _| header["jwk"] = json!(null)),
        ("6: not its signature", |header, _| header["jwk"]["x"] = json!("A".repeat(43))),
        ("7: a private key", |header, _| header["jwk"]["d"] = json!("A".repeat(43))),
        ("8: another method", |_, claims| claims["htm"] = json!("POST")),
        ("8: in small letters", |_, claims| claims["htm"] = json!("get")),
        ("9: another path", |_, claims| claims["htu"] = json!(format!("{APP}/a"))),
        ("9: another host", |_, claims| claims["htu"] = json!("https://evil.example/")),
        ("9: another scheme", |_, claims| claims["htu"] = json!("http://app.example/")),
        ("11: old", |_, claims| claims["iat"] = json!(NOW.to_seconds() - 61)),
        ("11: from the future", |_, claims| claims["iat"] = json!(NOW.to_seconds() + 61)),
        ("12: another token's hash", |_, claims| claims["ath"] = json!(postern_verify::dpop::token_hash("other"))),
        ("12: no hash", |_, claims| claims["ath"] = json!("")),
        ("12: the token itself", |_, claims| claims["ath"] = json!("token")),
    ];
    for (name, change) in changes {
        refused(&world.dpop(&token, &world.proof(&token, change)).await, name);
    }
    let other = World::start().await;
    refused(&world.dpop(&token, &other.proof(&token, |_, _| {})).await, "12: another key");

    for seconds in [-60, 60] {
        let proof = world.proof(&token, |_, claims| claims["iat"] = json!(NOW.to_seconds() + seconds));
        assert_eq!(world.dpop(&token, &proof).await.status, StatusCode::OK);
    }
    assert_eq!(world.dpop(&token, &one).await.status, StatusCode::OK);
    refused(&world.dpop(&token, &one).await, "a proof that was seen");
    let query = world.proof(&token, |_, _| {});
    let answer = world.ask(Method::GET, "/?a=b", &[("authorization", &authorization), ("dpop", &query)]).await;
    assert_eq!(answer.status, StatusCode::OK, "9: the query does not count");
}

#[tokio::test]
async fn a_nonce_takes_the_place_of_the_clients_clock() {
    let world = World::with(|guard| guard.with_nonces([7; 32])).await;
    let token = world.bound();
    let first = world.dpop(&token, &world.proof(&token, |_, _| {})).await;
    assert_eq!(first.challenges()[1], format!(r#"{DPOP}, error="use_dpop_nonce""#));
    let nonce = first.headers["dpop-nonce"].to_str().unwrap().to_owned();
    let with = |nonce: &str| {
        world.proof(&token, |_, claims| {
            claims["nonce"] = json!(nonce);
            claims["iat"] = json!(1);
        })
    };
    assert_eq!(world.dpop(&token, &with(&nonce)).await.status, StatusCode::OK, "10");
    let refused = world.dpop(&token, &with(&postern_verify::nonce::make(&[8; 32], NOW))).await;
    assert!(refused.challenges()[1].contains("use_dpop_nonce"), "10: another's nonce");
    world.clock.fetch_add(299_000, Ordering::SeqCst);
    world.end(&[]);
    assert_eq!(world.dpop(&token, &with(&nonce)).await.status, StatusCode::OK);
    // Five minutes and the tolerance of clocks old.
    let old = postern_verify::nonce::make(&[7; 32], NOW - 31_000);
    assert!(world.dpop(&token, &with(&old)).await.challenges()[1].contains("use_dpop_nonce"), "10: an old one");
}

#[tokio::test]
async fn an_ended_session_gets_nothing_and_an_issuer_that_is_away_is_no_ones_fault() {
    let world = World::start().await;
    let token = world.token();
    assert_eq!(world.bearer(&token).await.status, StatusCode::OK);
    world.end(&["s"]);
    world.clock.fetch_add(2_000, Ordering::SeqCst);
    let refused = world.bearer(&token).await;
    assert_eq!((refused.status, refused.text), (StatusCode::UNAUTHORIZED, world.bearer("x").await.text));
    world.end(&[]);
    world.clock.fetch_add(2_000, Ordering::SeqCst);
    assert_eq!(world.bearer(&token).await.status, StatusCode::OK);
    world.issuer.list.answer.lock().unwrap().status = StatusCode::BAD_GATEWAY;
    world.clock.fetch_add(30_000, Ordering::SeqCst);
    let away = world.bearer(&token).await;
    assert_eq!((away.status, away.challenges().len()), (StatusCode::SERVICE_UNAVAILABLE, 0));
    assert_eq!(away.headers["retry-after"], "1");
}
