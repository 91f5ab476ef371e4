//! Requests of apps that caused errors in other providers.

use crate::oidc::{Provider, SECRET, URI, claims, form, parameters};
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

#[tokio::test]
async fn attack_an_address_that_its_owner_typed_is_no_claim() {
    let provider = Provider::start().await;
    // Otherwise, apps that link accounts by address would open another person's account.
    let typed = Some(json!({"email": "director@example.org"}).to_string());
    let changed = provider.browser.send(Method::PATCH, paths::PROFILE, typed, &[]).await;
    assert_eq!(changed.json()["email"]["state"], "unproved", "{}", changed.text);
    let request = json!({"userinfo": {"email": {"essential": true}}, "id_token": {"email": null}}).to_string();
    for changes in [[("scope", "openid email")], [("claims", request.as_str())]] {
        let tokens = provider.exchange(&provider.code(&changes).await, &[]).await.json();
        let info = provider.userinfo(&tokens["access_token"]).await.json();
        for told in [claims(tokens["id_token"].as_str().unwrap()), info] {
            assert!(told["email"].is_null() && told["email_verified"].is_null(), "{told}");
        }
    }
}

#[tokio::test]
async fn an_expired_id_token_still_signs_out() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    provider.portal.advance(2 * 3_600_000).await;
    assert!(claims(hint)["exp"].as_i64().unwrap() * 1000 < provider.portal.state.now().as_millis());
    assert_eq!(provider.browser.refresh().await.status, StatusCode::OK);
    let request = form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://app.example/bye")]);
    let page = format!("{}?{request}", paths::OAUTH_LOGOUT);
    let page = provider.browser.send(Method::GET, &page, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(!page.text.contains("Stay signed in"), "the app is known, so nobody is asked: {}", page.text);
    let answer = provider.browser.post(paths::OAUTH_SIGN_OUT, &json!({ "request": request })).await;
    assert_eq!(answer.json()["location"], "https://app.example/bye", "{}", answer.text);
    assert_eq!(provider.browser.get(paths::SESSION).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_long_state_survives_the_sign_in() {
    let provider = Provider::start().await;
    let state = "s".repeat(8_192);
    let query = Provider::query(&[("state", &state)]);
    let stranger = provider.portal.browser("203.0.113.8");
    let to = provider.open(&stranger, &query).await;
    let page = stranger.send(Method::GET, to.header("location"), None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains(&format!("state={state}")), "the page leads on to the very request");
    assert_eq!(provider.returned(&[("state", &state)]).await["state"], state);
    let refused = provider.open(&stranger, &Provider::query(&[("state", &"s".repeat(8_193))])).await;
    assert_eq!(parameters(refused.header("location"))["error"], "invalid_request");
}

#[tokio::test]
async fn a_redirect_uri_with_a_query_keeps_it() {
    let client = "[[clients]]\nid = 'tenant'\nredirect_uris = ['https://tenant.example/callback?tenant=1']\n";
    let provider = Provider::with(client).await;
    let uri = "https://tenant.example/callback?tenant=1";
    let query = Provider::query(&[("client_id", "tenant"), ("redirect_uri", uri)]);
    let answer = provider.enter(&provider.browser, &query, None).await.json();
    assert!(answer["location"].as_str().unwrap().starts_with(&format!("{uri}&code=")), "{answer}");
}

#[tokio::test]
async fn a_client_that_sends_its_id_twice_is_the_same() {
    use base64ct::{Base64, Encoding};
    let provider = Provider::start().await;
    let basic = format!("Basic {}", Base64::encode_string(format!("app:{SECRET}").as_bytes()));
    let code = provider.code(&[]).await;
    let in_body_too = [("client_secret", ""), ("client_id", "app")];
    let refused = provider.exchange(&code, &in_body_too).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "the id alone proves nothing");
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", URI),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let other = [&pairs[..], &[("client_id", "other")]].concat();
    let refused = provider.client(paths::OAUTH_TOKEN, &other, &[("authorization", &basic)]).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    let same = [&pairs[..], &[("client_id", "app")]].concat();
    let answer = provider.client(paths::OAUTH_TOKEN, &same, &[("authorization", &basic)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn every_origin_reads_what_a_browser_app_needs() {
    let provider = Provider::start().await;
    let program = provider.portal.program("198.51.100.9");
    let foreign = [("origin", "https://spa.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    for path in [paths::OPENID_CONFIGURATION, paths::OAUTH_SERVER, paths::JWKS] {
        let answer = program.send_each(Method::GET, path, None, &foreign).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, "*"), "{path}");
    }
    for path in [paths::OAUTH_TOKEN, paths::OAUTH_USERINFO, paths::OAUTH_REVOKE] {
        let asked = program.send_each(Method::OPTIONS, path, None, &foreign).await;
        assert_eq!(
            (asked.status, asked.header("access-control-allow-origin")),
            (StatusCode::NO_CONTENT, "*"),
            "{path}"
        );
        assert!(asked.header("access-control-allow-headers").contains("Authorization"), "{path}");
        assert_eq!(asked.header("access-control-allow-credentials"), "", "{path}: never with cookies");
    }
    // An error must be readable as well, or the app cannot tell the reason.
    let wrong = provider.client(paths::OAUTH_TOKEN, &[("grant_type", "x"), ("client_id", "spa")], &foreign).await;
    assert_eq!((wrong.status, wrong.header("access-control-allow-origin")), (StatusCode::BAD_REQUEST, "*"));
}
