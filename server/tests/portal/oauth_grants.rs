//! What ends or narrows the access of apps: changed registrations, withdrawals, and the resources of tokens.

use crate::oidc::{Provider, SECRET, claims, clients, parameters};
use crate::support::{Answer, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

const API: &str = "https://api.example";
const WIKI: [(&str, &str); 2] = [("client_id", "wiki"), ("redirect_uri", "https://wiki.example/")];
const OTHER: [(&str, &str); 2] = [("client_id", "other"), ("redirect_uri", "https://other.example/")];

async fn patch(root: &Visitor, id: &str, changes: &Value) -> Answer {
    let id = id.replace(':', "%3A").replace('/', "%2F");
    root.send(Method::PATCH, &format!("{}/{id}", paths::CLIENTS), Some(changes.to_string()), &[]).await
}

async fn set(root: &Visitor, changes: &Value) {
    let answer = patch(root, "wiki", changes).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
}

async fn introspect(provider: &Provider, token: &Value, client: &str, secret: &str) -> Value {
    let pairs = [("token", token.as_str().unwrap()), ("client_id", client), ("client_secret", secret)];
    provider.client(paths::OAUTH_INTROSPECT, &pairs, &[]).await.json()
}

/// Adds a client that asks nobody and may name a resource, and returns its administrator and its secret.
async fn wiki(provider: &Provider) -> (Visitor, String) {
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({
        "id": "wiki", "redirect_uris": ["https://wiki.example/"], "consent": false, "resources": [API],
    });
    let added = root.post(paths::CLIENTS, &wish).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    (root, added.json()["client_secret"].as_str().unwrap().to_owned())
}

async fn refresh(provider: &Provider, token: &Value, client: &[(&str, &str)], more: &[(&str, &str)]) -> Answer {
    let token = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
    provider.client(paths::OAUTH_TOKEN, &[&token[..], client, more].concat(), &[]).await
}

#[tokio::test]
async fn attack_a_client_goes_on_reading_what_an_administrator_took_from_it() {
    let provider = Provider::start().await;
    let (root, secret) = wiki(&provider).await;
    let own = [("client_id", "wiki"), ("client_secret", secret.as_str())];
    let exchange = [&WIKI[..], &own[1..]].concat();
    let named = r#"{"id_token":{"roles":null},"userinfo":{"roles":null}}"#;
    let asked = [&WIKI[..], &[("scope", "openid profile offline_access"), ("claims", named)]].concat();
    let tokens = provider.exchange(&provider.code(&asked).await, &exchange).await.json();
    let open = provider.code(&asked).await;
    let info = provider.userinfo(&tokens["access_token"]).await.json();
    assert_eq!((&info["preferred_username"], &info["roles"]), (&json!("alice"), &json!(["user"])));

    set(&root, &json!({"scopes": ["openid", "offline_access"]})).await;
    let reads_less = |claims: &Value| {
        assert!(claims["sub"].is_string(), "{claims}");
        assert!(claims["preferred_username"].is_null() && claims["roles"].is_null(), "{claims}");
    };
    reads_less(&provider.userinfo(&tokens["access_token"]).await.json());
    let told = introspect(&provider, &tokens["access_token"], "wiki", &secret).await;
    assert_eq!(told["scope"], "offline_access openid");
    let told = introspect(&provider, &tokens["refresh_token"], "wiki", &secret).await;
    assert_eq!(told["scope"], "offline_access openid");
    let redeemed = provider.exchange(&open, &exchange).await.json();
    assert_eq!(redeemed["scope"], "offline_access openid", "an open code: {redeemed}");
    reads_less(&claims(redeemed["id_token"].as_str().unwrap()));
    // Clients repeat the scopes that they once got.
    let same = [("scope", "openid profile offline_access")];
    let refreshed = refresh(&provider, &tokens["refresh_token"], &own, &same).await.json();
    assert_eq!(refreshed["scope"], "offline_access openid", "{refreshed}");
    reads_less(&claims(refreshed["id_token"].as_str().unwrap()));

    set(&root, &json!({"scopes": ["openid"]})).await;
    let refused = refresh(&provider, &refreshed["refresh_token"], &own, &[]).await;
    assert_eq!(refused.json()["error"], "invalid_grant", "{}", refused.text);
    assert_eq!(introspect(&provider, &refreshed["refresh_token"], "wiki", &secret).await, json!({"active": false}));
    set(&root, &json!({"scopes": ["email"]})).await;
    assert_eq!(provider.userinfo(&refreshed["access_token"]).await.status, StatusCode::UNAUTHORIZED, "none is left");
    set(&root, &json!({"scopes": ["openid", "profile", "offline_access"]})).await;
    let again = refresh(&provider, &refreshed["refresh_token"], &own, &[]).await.json();
    assert_eq!(again["scope"], "offline_access openid profile", "it cost no token: {again}");
}

#[tokio::test]
async fn attack_a_client_goes_on_using_a_resource_or_the_device_flow_that_it_lost() {
    let provider = Provider::start().await;
    let (root, secret) = wiki(&provider).await;
    let own = [("client_id", "wiki"), ("client_secret", secret.as_str())];
    let asked = [&WIKI[..], &[("resource", API)]].concat();
    let exchange = [&WIKI[..], &own[1..]].concat();
    let tokens = provider.exchange(&provider.code(&asked).await, &exchange).await.json();
    let active = async || introspect(&provider, &tokens["access_token"], "api", SECRET).await["active"].clone();
    assert_eq!(active().await, true);
    set(&root, &json!({"resources": ["https://b.example"], "device": true})).await;
    assert_eq!(active().await, false);
    let refused = refresh(&provider, &tokens["refresh_token"], &own, &[]).await.json();
    assert_eq!(refused["error"], "invalid_target", "{refused}");

    let codes = provider.client(paths::OAUTH_DEVICE, &own, &[]).await.json();
    set(&root, &json!({"device": false})).await;
    let answer = json!({"user_code": codes["user_code"], "agreed": true});
    let refused = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text);
    let device = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", codes["device_code"].as_str().unwrap())];
    let polled = provider.client(paths::OAUTH_TOKEN, &[&device[..], &own].concat(), &[]).await.json();
    assert_eq!(polled["error"], "expired_token");
}

#[tokio::test]
async fn attack_a_device_asks_for_its_tokens_after_its_person_has_lost_access() {
    let provider = Provider::start().await;
    let (root, secret) = wiki(&provider).await;
    let own = [("client_id", "wiki"), ("client_secret", secret.as_str())];
    set(&root, &json!({"device": true})).await;
    let codes = provider.client(paths::OAUTH_DEVICE, &own, &[]).await.json();
    let answer = json!({"user_code": codes["user_code"], "agreed": true});
    assert_eq!(provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await.status, StatusCode::OK);
    set(&root, &json!({"groups": ["administrator"]})).await;
    let device = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", codes["device_code"].as_str().unwrap())];
    let polled = provider.client(paths::OAUTH_TOKEN, &[&device[..], &own].concat(), &[]).await.json();
    assert_eq!(polled["error"], "invalid_grant", "{polled}");
}

#[tokio::test]
async fn attack_an_opaque_token_for_one_resource_is_used_at_another() {
    let op = format!(
        "[[clients]]\nid = 'op'\nsecret_hash = '{}'\nredirect_uris = ['https://op.example/']\naccess_token = 'opaque'\n\
         resources = ['{API}', 'https://b.example']\n",
        oidc::client::secret_hash(SECRET)
    );
    let provider = Provider::with(&op).await;
    let own = [("client_id", "op"), ("redirect_uri", "https://op.example/")];
    let query = format!("{}&resource={API}&resource=https://b.example", Provider::query(&own));
    let location = provider.enter(&provider.browser, &query, None).await.json();
    let code = parameters(location["location"].as_str().unwrap())["code"].clone();
    let narrow = [&own[..], &[("resource", "https://b.example")]].concat();
    let tokens = provider.exchange(&code, &narrow).await.json();
    let told = introspect(&provider, &tokens["access_token"], "op", SECRET).await;
    assert_eq!((&told["active"], &told["aud"]), (&json!(true), &json!(["https://b.example"])));
    assert_eq!(introspect(&provider, &tokens["access_token"], "api", SECRET).await, json!({"active": false}));
    let own = [("client_id", "op"), ("client_secret", SECRET)];
    let whole = refresh(&provider, &tokens["refresh_token"], &own, &[]).await.json();
    let told = introspect(&provider, &whole["access_token"], "api", SECRET).await;
    assert_eq!(told["aud"], json!([API, "https://b.example"]), "{told}");
}

#[tokio::test]
async fn attack_a_code_that_is_open_at_the_withdrawal_becomes_tokens() {
    let provider = Provider::start().await;
    let query = Provider::query(&OTHER);
    let agreed = provider.enter(&provider.browser, &query, Some(true)).await.json();
    let code = parameters(agreed["location"].as_str().unwrap())["code"].clone();
    let withdraw = async |client: &str| {
        provider.browser.send(Method::DELETE, &format!("{}/{client}", paths::CONSENTS), None, &[]).await.status
    };
    assert_eq!(withdraw("other").await, StatusCode::NO_CONTENT);
    assert_eq!(provider.exchange(&code, &OTHER).await.json()["error"], "invalid_grant");

    let codes = provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv")], &[]).await.json();
    let answer = json!({"user_code": codes["user_code"], "agreed": true});
    assert_eq!(provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await.status, StatusCode::OK);
    assert_eq!(withdraw("tv").await, StatusCode::NO_CONTENT, "a device that has not asked yet");
    let device = codes["device_code"].as_str().unwrap();
    let pairs = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", device), ("client_id", "tv")];
    assert_eq!(provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await.json()["error"], "expired_token");
    assert_eq!(withdraw("tv").await, StatusCode::NOT_FOUND, "nothing is left");
}

#[tokio::test]
async fn devices_and_apps_that_ask_nobody_are_listed_and_revoked() {
    let provider = Provider::start().await;
    let begin = [("client_id", "tv"), ("scope", "openid profile offline_access")];
    let codes = provider.client(paths::OAUTH_DEVICE, &begin, &[]).await.json();
    let answer = json!({"user_code": codes["user_code"], "agreed": true});
    assert_eq!(provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await.status, StatusCode::OK);
    let device = codes["device_code"].as_str().unwrap();
    let pairs = [("grant_type", oidc::device::GRANT_TYPE), ("device_code", device), ("client_id", "tv")];
    let tv = provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await.json();
    let app = provider.tokens().await;
    let listed = async || provider.browser.get(paths::CONSENTS).await.json()["consents"].clone();
    let apps = listed().await;
    let names: Vec<_> = apps.as_array().unwrap().iter().map(|app| (&app["client"], &app["agreed"])).collect();
    assert_eq!(names, [(&json!("tv"), &json!(false)), (&json!("app"), &json!(false))], "by name: {apps}");
    assert_eq!(apps[0]["scope"], "offline_access openid profile");
    let page = provider.browser.send(Method::GET, paths::ACCOUNT_PAGE, None, &[("sec-fetch-mode", "navigate")]).await;
    for part in ["Television", "Connected", "see your user name", "Revoke the access of Television"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for (client, token) in [("tv", &tv), ("app", &app)] {
        let path = format!("{}/{client}", paths::CONSENTS);
        assert_eq!(provider.browser.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
        assert_eq!(provider.userinfo(&token["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = refresh(&provider, &tv["refresh_token"], &[("client_id", "tv")], &[]).await.json();
    assert_eq!(refused["error"], "invalid_grant");
    assert_eq!(listed().await, json!([]));
}

#[tokio::test]
async fn a_document_is_disabled_before_it_was_ever_fetched() {
    let provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let id = "https://localhost:9/client.json";
    let query = Provider::query(&[("client_id", id), ("redirect_uri", "http://127.0.0.1/callback")]);
    let opened = async || provider.open(&provider.browser, &query).await.text;
    assert_eq!(patch(&root, id, &json!({"disabled": false})).await.code(), "not_found");
    assert_eq!(patch(&root, id, &json!({"disabled": true, "name": "x"})).await.code(), "bad_request");
    let disabled = patch(&root, id, &json!({"disabled": true})).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT, "{}", disabled.text);
    assert!(opened().await.contains("an administrator has disabled this client"));
    let listed = root.get(paths::CLIENTS).await.json();
    let row = listed["clients"].as_array().unwrap().iter().find(|client| client["id"] == id).cloned().unwrap();
    assert_eq!((&row["disabled"], &row["source"], &row["problem"]), (&json!(true), &json!("document"), &Value::Null));
    // Another node, and a portal that starts later.
    let node = provider.portal.another_with(&clients()).await;
    let there = node.browser("203.0.113.7").signed_in("alice").await;
    assert!(provider.open(&there, &query).await.text.contains("an administrator has disabled this client"));
    assert_eq!(patch(&root, id, &json!({"disabled": false})).await.status, StatusCode::NO_CONTENT);
    assert!(opened().await.contains("could not be fetched"), "it is as if it was never stored");
}

/// A page may be open while something changes, and a button may be pressed twice.
#[tokio::test]
async fn an_answer_that_comes_too_late_leads_to_a_page() {
    let provider = Provider::start().await;
    let (root, secret) = wiki(&provider).await;
    let here = |query: &str| format!("{}?{query}", paths::OAUTH_AUTHORIZE);
    let enter = async |query: &str| provider.enter(&provider.browser, query, None).await.json()["location"].clone();
    // Two clicks on the answer to a pushed request.
    let plain = oidc::params::pairs(&Provider::query(&WIKI));
    let mut pairs: Vec<_> = plain.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.push(("client_secret", &secret));
    let pushed = provider.client(paths::OAUTH_PAR, &pairs, &[]).await.json();
    let query = crate::oidc::form(&[("client_id", "wiki"), ("request_uri", pushed["request_uri"].as_str().unwrap())]);
    let clicks = futures::future::join_all((0..5).map(|_| enter(&query))).await;
    let (codes, pages): (Vec<_>, Vec<_>) =
        clicks.iter().partition(|to| to.as_str().unwrap().starts_with("https://wiki.example/?code="));
    assert_eq!(codes.len(), 1, "{clicks:?}");
    assert!(pages.iter().all(|to| **to == here(&query)), "{clicks:?}");
    let shown = provider.open(&provider.browser, &query).await;
    assert!(shown.text.contains("Begin again at the app"), "{}", shown.text);

    // The consent is withdrawn in another tab, while the page that needed none is open.
    let query = Provider::query(&OTHER);
    provider.enter(&provider.browser, &query, Some(true)).await;
    let path = format!("{}/other", paths::CONSENTS);
    assert_eq!(provider.browser.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(enter(&query).await, here(&query));
    assert!(provider.open(&provider.browser, &query).await.text.contains("will be able to"));

    // The person declines in one tab after agreeing in another.
    let agreed = provider.enter(&provider.browser, &query, Some(true)).await.json();
    assert!(parameters(agreed["location"].as_str().unwrap()).contains_key("code"), "{agreed}");
    let declined = provider.enter(&provider.browser, &query, Some(false)).await.json();
    assert_eq!(parameters(declined["location"].as_str().unwrap())["error"], "access_denied");

    // An administrator disables the client.
    set(&root, &json!({"disabled": true})).await;
    let query = Provider::query(&WIKI);
    assert_eq!(enter(&query).await, here(&query));
    let shown = provider.open(&provider.browser, &query).await;
    assert!(shown.text.contains("an administrator has disabled this client"), "{}", shown.text);
}

#[tokio::test]
async fn attack_the_code_of_a_device_is_exchanged_as_an_authorization_code() {
    let provider = Provider::start().await;
    let codes = provider.client(paths::OAUTH_DEVICE, &[("client_id", "tv")], &[]).await.json();
    let answer = json!({"user_code": codes["user_code"], "agreed": true});
    assert_eq!(provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await.status, StatusCode::OK);
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", codes["device_code"].as_str().unwrap()),
        ("redirect_uri", oidc::device::GRANT_TYPE),
        ("client_id", "tv"),
    ];
    assert_eq!(provider.client(paths::OAUTH_TOKEN, &pairs, &[]).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn attack_a_group_named_like_a_role_opens_a_client_for_that_role() {
    let staff = "[[clients]]\nid = 'staff'\nredirect_uris = ['https://staff.example/']\ngroups = ['administrator']\n";
    let provider = Provider::with(staff).await;
    let root = provider.portal.administrator().await;
    for name in ["administrator", "User", " ADMINISTRATOR "] {
        let refused = root.post(paths::GROUPS, &json!({ "name": name })).await;
        assert_eq!(refused.code(), "bad_request", "{name}: {}", refused.text);
    }
    // One from an earlier version.
    let state = &provider.portal.state;
    let group = domain::profile::GroupName::parse("Administrator").unwrap();
    let audit = provider.portal.entry(store::audit::AuditEvent::GroupAdded, &provider.user);
    let added = provider.portal.store().add_group(&state.ulid(), &group, &audit, state.now()).await.unwrap();
    assert_eq!(added, store::profiles::GroupOutcome::Done);
    let path = format!("{}/{}", paths::USERS, provider.user);
    let joined = root.send(Method::PATCH, &path, Some(json!({"groups": [group.as_str()]}).to_string()), &[]).await;
    assert!(joined.status.is_success(), "{}", joined.text);
    let own = [("client_id", "staff"), ("redirect_uri", "https://staff.example/")];
    assert_eq!(provider.returned(&own).await["error"], "access_denied");
    let admitted = provider.enter(&root, &Provider::query(&own), None).await.json();
    assert!(parameters(admitted["location"].as_str().unwrap()).contains_key("code"), "{admitted}");
}
