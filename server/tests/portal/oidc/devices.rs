//! The device flow.

use super::{Provider, SECRET, VERIFIER, claims};
use crate::support::{ORIGIN, Visitor};
use domain::encoding::{base64url, sha256};
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

#[tokio::test]
async fn a_device_is_connected_by_its_code() {
    let provider = Provider::start().await;
    let codes = provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv"), ("scope", "openid profile")], &[]).await;
    assert_eq!(codes.status, StatusCode::OK, "{}", codes.text);
    let codes = codes.json();
    let (device, user) = (codes["device_code"].as_str().unwrap(), codes["user_code"].as_str().unwrap());
    assert_eq!((user.len(), &codes["verification_uri"]), (9, &json!(format!("{ORIGIN}/device"))));
    let poll = async || {
        let pairs = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", device), ("client_id", "tv")];
        provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await.json()
    };
    assert_eq!(poll().await["error"], "authorization_pending");
    assert_eq!(poll().await["error"], "slow_down");
    let path = format!("{}?user_code={}", paths::DEVICE_PAGE, user.to_lowercase());
    let page = provider.browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(
        page.text.contains("Connect a device to Television?") && page.text.contains("signed in as you"),
        "{}",
        page.text
    );
    let answer = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": true})).await;
    assert_eq!(answer.json()["location"], "/device?done=yes", "{}", answer.text);
    let again = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": true})).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "a code is answered once");
    let tokens = poll().await;
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["preferred_username"], "alice", "{tokens}");
    assert_eq!(poll().await["error"], "invalid_grant", "and exchanged once");
}

#[tokio::test]
async fn attack_a_device_or_a_pushed_request_names_a_resource_of_another_client() {
    let (api, files) = ("https://api.example", "https://files.example");
    let client = format!("[[clients]]\nid = 'box'\nname = 'Box'\ndevice = true\nresources = ['{api}', '{files}']\n");
    let provider = Provider::with(&client).await;
    for own in ["tv", "box"] {
        let foreign = if own == "tv" { api } else { "https://other.example" };
        let pairs = [("client_id", own), ("resource", foreign)];
        let refused = provider.client(paths::OAUTH_DEVICE, &pairs, &[]).await;
        assert_eq!(
            (refused.status, refused.json()["error"].clone()),
            (StatusCode::BAD_REQUEST, json!("invalid_target"))
        );
    }
    let query = Provider::query(&[("client_secret", SECRET), ("resource", files)]);
    let pairs = oidc::params::pairs(&query);
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let refused = provider.client(paths::OAUTH_PAR, &pairs, &[]).await;
    assert_eq!((refused.status, refused.json()["error"].clone()), (StatusCode::BAD_REQUEST, json!("invalid_target")));

    let tokens = async |wanted: &[(&str, &str)]| {
        provider.portal.advance(60_000).await;
        let asked = [("client_id", "box"), ("resource", api), ("resource", files)];
        let codes = provider.client(paths::OAUTH_DEVICE, &asked, &[]).await.json();
        let answer = json!({"user_code": codes["user_code"], "agreed": true});
        assert_eq!(provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await.status, StatusCode::OK);
        let device = codes["device_code"].as_str().unwrap();
        let pairs = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", device), ("client_id", "box")];
        provider.client(paths::OAUTH_TOKEN, &[&pairs[..], wanted].concat(), &[]).await.json()
    };
    let aud = |tokens: &serde_json::Value| claims(tokens["access_token"].as_str().unwrap())["aud"].clone();
    assert_eq!(aud(&tokens(&[]).await), json!([api, files]));
    assert_eq!(aud(&tokens(&[("resource", files)]).await), files);
    assert_eq!(tokens(&[("resource", "https://other.example")]).await["error"], "invalid_target");
}

#[tokio::test]
async fn attack_nobody_fills_the_database_with_requests_of_apps_without_a_secret() {
    let provider = Provider::start().await;
    let challenge = base64url(&sha256(VERIFIER.as_bytes()));
    let pushed = [
        ("client_id", "spa"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("redirect_uri", "https://spa.example/"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (path, pairs) in [(paths::OAUTH_DEVICE, &[("client_id", "tv")][..]), (paths::OAUTH_PAR, &pushed[..])] {
        let mut stored = 0;
        let last = loop {
            let answer = provider.client(path, pairs, &[]).await;
            if !answer.status.is_success() || stored > 1000 {
                break answer;
            }
            stored += 1;
        };
        assert_eq!(
            (last.status, last.json()["error"].as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, Some("temporarily_unavailable")),
            "{path}: {}",
            last.text
        );
        assert!(last.headers.contains_key("retry-after"), "{path}");
        provider.portal.advance(2 * 60_000).await;
    }
}

#[tokio::test]
async fn attack_a_device_code_is_refused_guessed_or_taken_by_another_client() {
    let provider = Provider::start().await;
    let begin = async |client: &str| provider.client(paths::OAUTH_DEVICE, &[("client_id", client)], &[]).await.json();
    assert_eq!(begin("spa").await["error"], "unauthorized_client");
    let codes = begin("tv").await;
    let poll = async |code: &str| {
        let pairs = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", code), ("client_id", "tv")];
        provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await.json()
    };
    assert_eq!(poll("guessed").await["error"], "expired_token");
    let other = [
        ("grant_type", oidc::device::GRANT_TYPE),
        ("device_code", codes["device_code"].as_str().unwrap()),
        ("client_id", "app"),
        ("client_secret", SECRET),
    ];
    assert_eq!(provider.client(paths::OAUTH_TOKEN, &other, &[]).await.json()["error"], "expired_token");
    let user = codes["user_code"].as_str().unwrap();
    let thief = provider.browser.thief(&provider.portal, "198.51.100.66");
    let stolen = thief.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": true})).await;
    assert_eq!(stolen.code(), "bad_proof");
    let refused = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": user, "agreed": false})).await;
    assert_eq!(refused.json()["location"], "/device?done=no");
    assert_eq!(poll(codes["device_code"].as_str().unwrap()).await["error"], "access_denied");
    let late = begin("tv").await;
    provider.portal.advance(oidc::device::LIFE_MS).await;
    assert_eq!(poll(late["device_code"].as_str().unwrap()).await["error"], "expired_token");
}

/// A signed-in thief guesses at the codes of others, on the page and by the API, and with new sessions of the account.
#[tokio::test]
async fn attack_guesses_at_the_codes_of_devices_are_limited_by_account_and_address() {
    let provider = Provider::start().await;
    let portal = &provider.portal;
    let codes = provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv")], &[]).await.json();
    let right = codes["user_code"].as_str().unwrap();
    let wrong = if right == "BBBB-BBBB" { "CCCC-CCCC" } else { "BBBB-BBBB" };
    let page = async |browser: &Visitor, code: &str| {
        let path = format!("{}?user_code={code}", paths::DEVICE_PAGE);
        browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await
    };
    let answer = async |browser: &Visitor, code: &str| {
        browser.post(paths::OAUTH_DEVICE_ANSWER, &json!({"user_code": code, "agreed": true})).await
    };
    for number in 0..20 {
        assert_eq!(page(&provider.browser, right).await.status, StatusCode::OK, "a right code is no guess: {number}");
    }
    for number in 0..5 {
        let (shown, answered) = (page(&provider.browser, wrong).await, answer(&provider.browser, wrong).await);
        assert_eq!((shown.status, answered.status), (StatusCode::OK, StatusCode::NOT_FOUND), "{number}");
    }
    let again = portal.browser("203.0.113.8").signed_in("alice").await;
    for browser in [&provider.browser, &again] {
        // The right code is not tried either, so that guesses beyond the limit tell nothing.
        for code in [wrong, right] {
            let (shown, answered) = (page(browser, code).await, answer(browser, code).await);
            assert_eq!((shown.status, answered.status.as_u16()), (StatusCode::TOO_MANY_REQUESTS, 429), "{code}");
            assert!(shown.text.contains("too many wrong codes") && !shown.text.contains("Television"));
            for refused in [shown, answered] {
                let seconds: u64 = refused.header("retry-after").parse().unwrap();
                assert!((1..=60).contains(&seconds), "{seconds}");
            }
        }
    }
    // Another person at the same address goes on, until a hundred guesses have come from there.
    let mut others = Vec::new();
    for number in 0..9 {
        portal.add_user(&format!("user{number}")).await;
        others.push(portal.browser("203.0.113.7").signed_in(&format!("user{number}")).await);
    }
    for browser in &others {
        for _ in 0..10 {
            assert_eq!(page(browser, wrong).await.status, StatusCode::OK);
        }
    }
    portal.add_user("last").await;
    let last = portal.browser("203.0.113.7").signed_in("last").await;
    assert_eq!(page(&last, right).await.status, StatusCode::TOO_MANY_REQUESTS, "by the address");
    portal.advance(60_000).await;
    provider.browser.refresh().await;
    let connected = answer(&provider.browser, right).await;
    assert_eq!(connected.json()["location"], "/device?done=yes", "{}", connected.text);
}
