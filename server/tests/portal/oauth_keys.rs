//! The keys that tokens are bound to, and the accounts that answers count for.

use crate::oidc::{Provider, SECRET, claims, parameters};
use crate::support::{Answer, ClientKey, ORIGIN};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Sends a request of a client with a proof of a key.
async fn proven(provider: &Provider, key: &ClientKey, pairs: &[(&str, &str)]) -> Answer {
    let url = format!("{ORIGIN}{}", paths::OAUTH_TOKEN);
    let nonce = provider.portal.state.keyring.nonce(provider.portal.state.now());
    provider.client(paths::OAUTH_TOKEN, pairs, &[("dpop", &key.prove(&url, &nonce))]).await
}

fn refresh<'a>(tokens: &'a Value, client: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let token = tokens["refresh_token"].as_str().unwrap();
    [&[("grant_type", "refresh_token"), ("refresh_token", token)], client].concat()
}

/// Each process of such a client may make a key of its own, and its secret authenticates it.
#[tokio::test]
async fn a_confidential_client_refreshes_with_another_key_and_a_public_one_does_not() {
    let provider = Provider::start().await;
    let (first, second) = (ClientKey::generate(), ClientKey::generate());
    let app = [("client_id", "app"), ("client_secret", SECRET)];
    let exchange = async |client: &[(&str, &str)], uri: &str| {
        let own = [&client[..1], &[("redirect_uri", uri)]].concat();
        let code = provider.code(&own).await;
        let pairs = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", uri)];
        let verifier = [("code_verifier", VERIFIER)];
        let answer = proven(&provider, &first, &[&pairs[..], &verifier, client].concat()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    };
    let bound_to = |tokens: &Value| claims(tokens["access_token"].as_str().unwrap())["cnf"]["jkt"].clone();
    let tokens = exchange(&app, crate::oidc::URI).await;
    let bare = provider.client(paths::OAUTH_TOKEN, &refresh(&tokens, &app), &[]).await;
    assert_eq!(bare.json()["error"], "invalid_grant", "bound tokens stay bound to some key: {}", bare.text);
    let other = proven(&provider, &second, &refresh(&tokens, &app)).await;
    assert_eq!(other.status, StatusCode::OK, "{}", other.text);
    let other = other.json();
    assert_ne!(bound_to(&other), bound_to(&tokens));
    let token = other["access_token"].as_str().unwrap();
    let userinfo = async |key: &ClientKey| {
        let nonce = provider.portal.state.keyring.nonce(provider.portal.state.now());
        let hash = domain::encoding::base64url(&domain::encoding::sha256(token.as_bytes()));
        let more = json!({"htm": "GET", "ath": hash});
        let proof = key.prove_more(&format!("{ORIGIN}{}", paths::OAUTH_USERINFO), &nonce, &more);
        let authorization = format!("DPoP {token}");
        let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
        let program = provider.portal.program("198.51.100.9");
        program.send_each(Method::GET, paths::OAUTH_USERINFO, None, &headers).await.status
    };
    assert_eq!(userinfo(&second).await, StatusCode::OK);
    assert_eq!(userinfo(&first).await, StatusCode::UNAUTHORIZED, "the key of the first process");
    let third = proven(&provider, &first, &refresh(&other, &app)).await;
    assert_eq!(bound_to(&third.json()), bound_to(&tokens), "and back: {}", third.text);

    let spa = [("client_id", "spa")];
    let tokens = exchange(&spa, "https://spa.example/").await;
    let stolen = proven(&provider, &second, &refresh(&tokens, &spa)).await;
    assert_eq!(stolen.json()["error"], "invalid_grant", "{}", stolen.text);
    let own = proven(&provider, &first, &refresh(&tokens, &spa)).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
}

/// Somebody else may sign in in another tab while a page asks.
#[tokio::test]
async fn an_answer_counts_for_the_account_that_the_page_names() {
    let provider = Provider::start().await;
    provider.portal.add_user("bob").await;
    let bob = provider.portal.browser("203.0.113.7").signed_in("bob").await;
    let query = Provider::query(&[("client_id", "other"), ("redirect_uri", "https://other.example/")]);
    let asked = provider.open(&provider.browser, &query).await;
    assert!(asked.text.contains("You are signed in here as alice."), "{}", asked.text);
    assert!(asked.text.contains(&provider.user), "the answer names the account");
    for agreed in [true, false] {
        let body = json!({"request": query, "agreed": agreed, "account": provider.user});
        let answer = bob.post(paths::OAUTH_ENTER, &body).await.json();
        assert_eq!(answer["location"], format!("{}?{query}", paths::OAUTH_AUTHORIZE), "asked again");
    }
    assert_eq!(bob.get(paths::CONSENTS).await.json()["consents"], json!([]));
    let body = json!({"request": query, "agreed": true, "account": provider.user});
    let answer = provider.browser.post(paths::OAUTH_ENTER, &body).await.json();
    assert!(parameters(answer["location"].as_str().unwrap()).contains_key("code"), "{answer}");

    let codes = provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv")], &[]).await.json();
    let user_code = codes["user_code"].as_str().unwrap();
    let path = format!("{}?user_code={user_code}", paths::DEVICE_PAGE);
    let page = provider.browser.send(Method::GET, &path, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains("You are signed in here as alice."), "{}", page.text);
    let body = json!({"user_code": user_code, "agreed": true, "account": provider.user});
    assert_eq!(bob.post(paths::OAUTH_DEVICE_ANSWER, &body).await.json()["location"], path.as_str());
    let answer = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &body).await.json();
    assert_eq!(answer["location"], "/device?done=yes");
}
