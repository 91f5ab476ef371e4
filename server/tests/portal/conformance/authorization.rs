//! Modules of the Basic and Form Post plans about authorization requests.

use super::{CALLBACK, ID, MODES, exchange, finish, query, refused, run, run_after_sign_in, start};
use crate::oidc::{Provider, SECRET, parameters};
use crate::support::ORIGIN;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

/// Checks that a parameter causes no error, neither before nor after the person has signed in.
async fn changes_nothing(name: &str, value: &str) {
    let provider = start().await;
    let stranger = provider.portal.browser("203.0.113.8");
    let to = provider.open(&stranger, &query(&[(name, value)])).await;
    assert!(to.header("location").starts_with("/login?next="), "{}", to.text);
    let page = stranger.send(Method::GET, to.header("location"), None, &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    run(&provider, &[(name, value)]).await;
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let provider = start().await;
    assert_eq!(refused(&provider, &[("response_type", "")]).await, "invalid_request");
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let provider = start().await;
    let outcome = run(&provider, &[("nonce", "")]).await;
    assert!(outcome.id["nonce"].is_null(), "{}", outcome.id);
}

#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    let provider = start().await;
    for mode in MODES {
        let usual = query(&[("scope", "openid profile email"), ("response_mode", mode)]);
        let usual = usual.replace("openid%20profile%20email", "email%20profile%20openid");
        let reversed: Vec<&str> = usual.split('&').rev().collect();
        assert_ne!(usual, reversed.join("&"));
        let outcome = finish(&provider, provider.enter(&provider.browser, &reversed.join("&"), None).await).await;
        assert_eq!(outcome.tokens["scope"], "email openid profile");
    }
}

#[tokio::test]
async fn oidcc_display_page() {
    changes_nothing("display", "page").await;
}

#[tokio::test]
async fn oidcc_display_popup() {
    changes_nothing("display", "popup").await;
}

#[tokio::test]
async fn oidcc_login_hint() {
    changes_nothing("login_hint", "buffy@auth.example").await;
    let provider = start().await;
    let stranger = provider.portal.browser("203.0.113.8");
    let field = async |query: &str| {
        let to = provider.open(&stranger, query).await;
        let page = stranger.send(Method::GET, to.header("location"), None, &[("sec-fetch-mode", "navigate")]).await;
        let field = page.text.split("id=\"username\"").nth(1).unwrap().split('>').next().unwrap().to_owned();
        field.split_once("value=\"").map(|(_, value)| value.split('"').next().unwrap().to_owned())
    };
    let long = "a".repeat(65);
    for (hint, shown) in [
        ("buffy@auth.example", Some("buffy@auth.example")),
        ("", None),
        ("call +1 555 0100 now", None),
        ("\"><script>alert(1)</script>", None),
        (&long, None),
    ] {
        assert_eq!(field(&query(&[("login_hint", hint)])).await.as_deref(), shown, "{hint}");
    }
    let all = oidc::Params::parse(&query(&[("login_hint", "buffy")]));
    let names = ["client_id", "redirect_uri", "response_type", "scope", "login_hint"];
    let mut pushed: Vec<_> = names.iter().map(|name| (*name, all.get(name).unwrap())).collect();
    pushed.push(("client_secret", SECRET));
    let pushed = provider.client(paths::OAUTH_PAR, &pushed, &[]).await.json();
    let link =
        oidc::params::with_query("", &[("client_id", ID), ("request_uri", pushed["request_uri"].as_str().unwrap())]);
    assert_eq!(field(link.trim_start_matches('?')).await.as_deref(), Some("buffy"), "a pushed request");
}

#[tokio::test]
async fn oidcc_ui_locales() {
    changes_nothing("ui_locales", "se").await;
}

#[tokio::test]
async fn oidcc_claims_locales() {
    changes_nothing("claims_locales", "se").await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    changes_nothing("extra", "foobar").await;
}

#[tokio::test]
async fn oidcc_prompt_login() {
    let provider = start().await;
    let first = run(&provider, &[]).await;
    let second = run_after_sign_in(&provider, &[("prompt", "login")]).await;
    assert!(time(&second.id) > time(&first.id));
}

fn time(id: &Value) -> i64 {
    id["auth_time"].as_i64().unwrap()
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let provider = start().await;
    for mode in MODES {
        let stranger = provider.portal.browser("203.0.113.8");
        let to = provider.open(&stranger, &query(&[("prompt", "none"), ("response_mode", mode)])).await;
        let returned = parameters(to.header("location"));
        assert_eq!((returned["error"].as_str(), returned["state"].as_str()), ("login_required", "xyz"));
        assert_eq!(returned["iss"], ORIGIN);
    }
}

/// Checks that the second request is answered without the person, and with the same sign-in.
async fn is_silent(provider: &Provider, changes: &[(&str, &str)]) {
    let first = run(provider, &[]).await;
    provider.portal.advance(5_000).await;
    let second = run(provider, changes).await;
    assert_eq!((&second.id["sub"], &second.id["auth_time"]), (&first.id["sub"], &first.id["auth_time"]));
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    is_silent(&start().await, &[("prompt", "none")]).await;
}

#[tokio::test]
async fn oidcc_max_age_1() {
    let provider = start().await;
    let first = run(&provider, &[]).await;
    provider.portal.advance(2_000).await;
    let second = run_after_sign_in(&provider, &[("max_age", "1")]).await;
    assert!(time(&second.id) > time(&first.id));
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    let provider = start().await;
    assert!(run(&provider, &[("max_age", "15000")]).await.id["auth_time"].is_i64());
    is_silent(&provider, &[("max_age", "10000")]).await;
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    let provider = start().await;
    let first = run(&provider, &[]).await;
    let hint = first.tokens["id_token"].as_str().unwrap();
    is_silent(&provider, &[("prompt", "none"), ("id_token_hint", hint)]).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    let provider = start().await;
    let document = provider.portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
    let values: Vec<&str> =
        document["acr_values_supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let outcome = run(&provider, &[("acr_values", &values.join(" "))]).await;
    assert!(values.contains(&outcome.id["acr"].as_str().unwrap()), "{}", outcome.id);
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let provider = start().await;
    for uri in ["https://evil.example/callback", &format!("{CALLBACK}/more"), &format!("{CALLBACK}?more=1")] {
        for mode in MODES {
            let query = query(&[("redirect_uri", uri), ("response_mode", mode)]);
            let shown = provider.open(&provider.browser, &query).await;
            assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{uri}");
            assert!(shown.text.contains(uri) && shown.text.contains(CALLBACK), "both are shown");
        }
    }
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let provider = start().await;
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("origin", "https://suite.example"),
    ];
    for mode in MODES {
        let form = Some(query(&[("response_mode", mode)]));
        let answer = provider.browser.send_each(Method::POST, paths::OAUTH_AUTHORIZE, form, &headers).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let again = answer.header("location").split_once('?').unwrap().1;
        finish(&provider, provider.enter(&provider.browser, again, None).await).await;
    }
}

/// A request object without a signature, with the parameters of a plain request.
fn unsigned(redirect_uri: &str) -> String {
    let content = json!({
        "iss": ID, "aud": ORIGIN, "client_id": ID, "response_type": "code", "scope": "openid", "redirect_uri": redirect_uri,
    });
    let part = |value: &Value| domain::encoding::base64url(value.to_string().as_bytes());
    format!("{}.{}.", part(&json!({"alg": "none"})), part(&content))
}

#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    let changes = [("request_uri", "https://suite.example/request.jwt")];
    assert_eq!(refused(&start().await, &changes).await, "request_uri_not_supported");
}

#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    assert_eq!(refused(&start().await, &[("request", &unsigned(CALLBACK))]).await, "request_not_supported");
}

#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let object = unsigned("https://evil.example/");
    assert_eq!(refused(&start().await, &[("request", &object)]).await, "request_not_supported");
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    use domain::encoding::{base64url, sha256};
    let provider = start().await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = base64url(&sha256(verifier.as_bytes()));
    for mode in MODES {
        let changes =
            [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256"), ("response_mode", mode)];
        let answer = provider.enter(&provider.browser, &query(&changes), None).await.json();
        let code = parameters(answer["location"].as_str().unwrap())["code"].clone();
        assert_eq!(
            exchange(&provider, &code, &[]).await.json()["error"],
            "invalid_grant",
            "a challenge needs its verifier"
        );
        assert_eq!(exchange(&provider, &code, &[("code_verifier", verifier)]).await.status, StatusCode::OK);
    }
}
