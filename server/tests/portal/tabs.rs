//! Two tabs of one browser, whose pages are of two accounts.

use crate::support::{Portal, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

async fn account(browser: &Visitor) -> String {
    browser.get(paths::SESSION).await.json()["sub"].as_str().unwrap().to_owned()
}

/// Returns the requests of the document that change something of the person who is signed in.
fn changes() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(server::openapi::document().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        // Sign-in and renewal use no access token. The others are requests of apps, and carry the account in their body.
        let concerns_nobody = matches!(
            path.as_str(),
            paths::LOGIN
                | paths::PASSKEY_LOGIN
                | paths::SECOND_FACTOR
                | paths::AUTHENTICATE
                | paths::TERMINAL_LOGIN
                | paths::SIGNUP
                | paths::RESET
                | paths::REFRESH
                | paths::FORGOTTEN_PASSWORD
                | paths::OAUTH_SIGN_OUT
        );
        if concerns_nobody || !path.starts_with("/api/") {
            continue;
        }
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if method != "GET" {
                found.push((method.parse().unwrap(), path.replace("{version}", "1").replace(['{', '}'], "")));
            }
        }
    }
    found
}

#[tokio::test]
async fn a_page_of_one_account_changes_nothing_of_another() {
    let portal = Portal::start().await;
    portal.add_administrator("alice").await;
    portal.add_administrator("bob").await;
    let browser = portal.browser("203.0.113.7").signed_in("alice").await;
    let alice = account(&browser).await;
    browser.forget("-device");
    let browser = browser.signed_in("bob").await;
    let bob = account(&browser).await;
    let changes = changes();
    assert!(changes.len() > 40, "{changes:?}");
    for (number, (method, path)) in changes.into_iter().enumerate() {
        // Each is sent from another address: together they would be a flood.
        let browser = browser.moved(&format!("203.0.113.{number}"));
        let old_tab = [(paths::ACCOUNT_HEADER, alice.as_str())];
        let answer = browser.send(method.clone(), &path, Some("{}".to_owned()), &old_tab).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "other_account"), "{method} {path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("signed in as bob"), "{}", answer.text);
    }
    let own = [(paths::ACCOUNT_HEADER, bob.as_str())];
    let body = || Some(json!({"display_name": "Bob"}).to_string());
    let answer = browser.send(Method::PATCH, paths::PROFILE, body(), &own).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let answer = browser.send(Method::PATCH, paths::PROFILE, body(), &[]).await;
    assert!(answer.status.is_success(), "without the header, as a program: {}", answer.text);
    let page = browser.send(Method::GET, paths::ACCOUNT_PAGE, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains(&format!("data-account=\"{bob}\"")), "the page says whose it is");
}
