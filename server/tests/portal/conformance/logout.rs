//! The RP-initiated and the Back-channel logout plans.

use super::{CALLBACK, ID, Outcome, SIGNED_OUT, query, run, start, with};
use crate::oidc::{Provider, claims, form, parameters, posted};
use crate::support::{Answer, ORIGIN};
use domain::encoding::base64url;
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

/// Opens a link of an app, and returns the page's answer.
async fn open(provider: &Provider, pairs: &[(&str, &str)]) -> Answer {
    let path = format!("{}?{}", paths::OAUTH_LOGOUT, form(pairs));
    provider.browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await
}

/// Signs out as the page's script does, and returns the URL to open.
async fn sign_out(provider: &Provider, pairs: &[(&str, &str)]) -> String {
    assert_eq!(open(provider, pairs).await.status, StatusCode::OK);
    let answer = provider.browser.post(paths::OAUTH_SIGN_OUT, &json!({ "request": form(pairs) })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let silent = provider.open(&provider.browser, &query(&[("prompt", "none")])).await;
    assert!(silent.header("location").starts_with(&format!("{CALLBACK}?error=login_required")), "{}", silent.text);
    answer.json()["location"].as_str().unwrap().to_owned()
}

/// Checks that the page shows an error without a redirect, and that the person stays signed in.
async fn is_refused(provider: &Provider, pairs: &[(&str, &str)]) {
    let shown = open(provider, pairs).await;
    assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{}", shown.text);
    let answer = provider.browser.post(paths::OAUTH_SIGN_OUT, &json!({ "request": form(pairs) })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    let silent = provider.enter(&provider.browser, &query(&[("prompt", "none")]), None).await.json();
    assert!(parameters(silent["location"].as_str().unwrap()).contains_key("code"), "{silent}");
}

fn hint(outcome: &Outcome) -> &str {
    outcome.tokens["id_token"].as_str().unwrap()
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    let pairs = [("id_token_hint", hint(&outcome)), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s1")];
    assert_eq!(sign_out(&provider, &pairs).await, format!("{SIGNED_OUT}?state=s1"));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    let pairs = [("id_token_hint", hint(&outcome)), ("post_logout_redirect_uri", SIGNED_OUT)];
    assert_eq!(sign_out(&provider, &pairs).await, SIGNED_OUT);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    assert!(sign_out(&provider, &[("id_token_hint", hint(&outcome))]).await.starts_with('/'), "a page of the portal");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let provider = start().await;
    assert!(open(&provider, &[]).await.text.contains("Stay signed in"), "the person is asked");
    assert!(sign_out(&provider, &[]).await.starts_with('/'), "a page of the portal");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let provider = start().await;
    assert!(sign_out(&provider, &[("state", "s1")]).await.starts_with('/'), "a page of the portal");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    is_refused(&start().await, &[("post_logout_redirect_uri", SIGNED_OUT), ("state", "s1")]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    let evil = "https://suite.example/elsewhere";
    is_refused(&provider, &[("id_token_hint", hint(&outcome)), ("post_logout_redirect_uri", evil)]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    let longer = format!("{SIGNED_OUT}?foo=bar");
    is_refused(&provider, &[("id_token_hint", hint(&outcome)), ("post_logout_redirect_uri", &longer)]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let provider = start().await;
    let outcome = run(&provider, &[]).await;
    let none = base64url(json!({"alg": "none"}).to_string().as_bytes());
    let unsigned = format!("{none}.{}.", hint(&outcome).split('.').nth(1).unwrap());
    is_refused(&provider, &[("id_token_hint", &unsigned), ("post_logout_redirect_uri", SIGNED_OUT)]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let (provider, other) = (start().await, start().await);
    // The same issuer and client, signed with the keys of another installation.
    let foreign = run(&other, &[]).await;
    is_refused(&provider, &[("id_token_hint", hint(&foreign)), ("post_logout_redirect_uri", SIGNED_OUT)]).await;
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let provider = with(&format!("backchannel_logout_uri = 'http://localhost:{port}/backchannel_logout'")).await;
    let outcome = run(&provider, &[]).await;
    let pairs = [("id_token_hint", hint(&outcome)), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s1")];
    assert_eq!(sign_out(&provider, &pairs).await, format!("{SIGNED_OUT}?state=s1"));
    server::flows::oauth_logouts::send_due(&provider.portal.state).await.unwrap();
    let request = posted(&listener).await;
    assert!(request.starts_with("POST /backchannel_logout HTTP/1.1\r\n"), "{request}");
    let logout = claims(request.split("logout_token=").nth(1).unwrap());
    assert_eq!((&logout["iss"], &logout["aud"]), (&json!(ORIGIN), &json!(ID)));
    assert_eq!((&logout["sub"], &logout["sid"]), (&outcome.id["sub"], &outcome.id["sid"]));
    assert!(logout["nonce"].is_null() && logout["jti"].is_string(), "{logout}");
    assert!(logout["exp"].as_i64() > logout["iat"].as_i64(), "{logout}");
    assert_eq!(logout["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
}
