//! Pushed authorization requests, and the time that a person takes for them.

use super::{Form, Provider, SECRET, form, parameters};
use crate::support::Answer;
use http::StatusCode;
use serde_json::{Value, json};
use wire::paths;

/// Pushes a plain request of the app, with changes, and returns the query that a browser brings.
async fn push(provider: &Provider, changes: &[(&str, &str)]) -> String {
    let query = Provider::query(changes);
    let pairs: Vec<(String, String)> = parameters(&format!("?{query}")).into_iter().collect();
    let mut pairs: Form<'_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let client = pairs.iter().find(|(name, _)| *name == "client_id").unwrap().1.to_owned();
    pairs.retain(|(name, _)| *name != "scope");
    pairs.push(("scope", "openid"));
    pairs.push(("client_secret", SECRET));
    let pushed = provider.client(paths::OAUTH_PAR, &pairs, &[]).await;
    assert_eq!((pushed.status, &pushed.json()["expires_in"]), (StatusCode::CREATED, &json!(600)), "{}", pushed.text);
    form(&[("client_id", &client), ("request_uri", pushed.json()["request_uri"].as_str().unwrap())])
}

#[tokio::test]
async fn a_pushed_request_gives_one_code() {
    let provider = Provider::start().await;
    let query = push(&provider, &[]).await;
    assert!(provider.open(&provider.browser, &query).await.text.contains("Opening The app"), "seen, and not used");
    let answer = provider.enter(&provider.browser, &query, None).await.json();
    assert!(parameters(answer["location"].as_str().unwrap()).contains_key("code"), "{answer}");
    let again = provider.enter(&provider.browser, &query, None).await.json();
    assert_eq!(again["location"], format!("{}?{query}", paths::OAUTH_AUTHORIZE), "the page says why");
    let page = provider.open(&provider.browser, &query).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let way_back = "href=\"https://app.example/\"";
    assert!(page.text.contains("Begin again at the app") && page.text.contains(way_back), "{}", page.text);
    let stolen = query.replace("client_id=app", "client_id=other");
    assert_eq!(provider.open(&provider.browser, &stolen).await.status, StatusCode::BAD_REQUEST);
}

/// Follows the redirect of a page to sign-in, and returns the query that it leads back to.
fn way_back(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let next = parameters(answer.header("location"))["next"].clone();
    let next = next.replace("%3F", "?").replace("%3D", "=").replace("%26", "&").replace("%25", "%");
    next.strip_prefix(&format!("{}?", paths::OAUTH_AUTHORIZE)).unwrap_or_else(|| panic!("{next}")).to_owned()
}

#[tokio::test]
async fn a_pushed_request_waits_for_a_person_who_came_in_time() {
    const MINUTE: i64 = 60_000;
    let provider = Provider::start().await;
    let late = push(&provider, &[]).await;
    let query = push(&provider, &[]).await;
    provider.portal.advance(9 * MINUTE).await;
    let person = provider.portal.browser("203.0.113.9");
    let back = way_back(&provider.open(&person, &query).await);
    provider.portal.advance(50 * MINUTE).await;
    let person = person.signed_in("alice").await;
    let page = provider.open(&person, &back).await;
    assert!(page.status == StatusCode::OK && page.text.contains("Opening The app"), "{}", page.text);
    let answer = provider.enter(&person, &back, None).await.json();
    assert!(parameters(answer["location"].as_str().unwrap()).contains_key("code"), "{answer}");

    // Nobody opened the other request in time, and the note of one request is not accepted for another.
    let noted = back.split('&').find(|pair| pair.starts_with("postern_arrived=")).unwrap();
    for query in [late.clone(), format!("{late}&{noted}")] {
        assert_eq!(provider.open(&person, &query).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    // The sign-in has a time limit too. Then a page leads to the app's start.
    let query = push(&provider, &[]).await;
    let stranger = provider.portal.browser("203.0.113.10");
    let back = way_back(&provider.open(&stranger, &query).await);
    provider.portal.advance(61 * MINUTE).await;
    let stranger = stranger.signed_in("alice").await;
    let page = provider.open(&stranger, &back).await;
    assert!(page.text.contains("Begin again at the app"), "{}", page.text);
}

#[tokio::test]
async fn a_pushed_request_waits_for_an_answer() {
    let provider = Provider::start().await;
    let changes = [("client_id", "other"), ("redirect_uri", "https://other.example/")];
    let query = push(&provider, &changes).await;
    let page = provider.open(&provider.browser, &query).await;
    let body = page.text.split("data-yes=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let body: Value = serde_json::from_str(&body.replace("&quot;", "\"").replace("&amp;", "&")).unwrap();
    provider.portal.advance(30 * 60_000).await;
    provider.browser.refresh().await;
    let answer = provider.browser.post(paths::OAUTH_ENTER, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    assert!(location.starts_with("https://other.example/") && location.contains("code="), "{location}");
}
