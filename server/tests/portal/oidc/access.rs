//! Access by tokens, and its end.

use super::{Provider, SECRET, claims, parameters};
use crate::support::PASSWORD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use wire::paths;

#[tokio::test]
async fn a_session_that_ends_ends_what_it_gave() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let code = provider.code(&[]).await;
    assert!(provider.is_live(&tokens["access_token"]).await);
    provider.browser.post(paths::LOGOUT, &json!({})).await;
    assert!(!provider.is_live(&tokens["access_token"]).await);
    let refreshed = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
    assert_eq!(provider.exchange(&code, &[]).await.json()["error"], "invalid_grant", "a code as well");
}

#[tokio::test]
async fn a_disabled_account_ends_everything_on_every_node() {
    let provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let tokens = provider.tokens().await;
    let other = provider.portal.another().await;
    let node = Provider { portal: other, user: provider.user.clone(), browser: provider.browser.clone() };
    assert!(node.is_live(&tokens["access_token"]).await);
    let audit = provider.portal.entry(AuditEvent::UserDisabled, &provider.user);
    let now = provider.portal.state.now();
    assert!(
        provider
            .portal
            .store()
            .set_disabled(&provider.user.as_str().into(), true, &audit, now)
            .await
            .unwrap()
            .is_done()
    );
    for node in [&provider, &node] {
        // As each node does three times a second.
        server::jobs::follow(&node.portal.state).await.unwrap();
        assert!(!node.is_live(&tokens["access_token"]).await);
    }
    let refreshed = provider.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refreshed.json()["error"], "invalid_grant");
}

/// Nobody but the jobs of the other node reads the change there.
#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_another_node_end_the_tokens_of_a_disabled_account() {
    let provider = Provider::start().await;
    let root = provider.portal.administrator().await;
    let tokens = provider.tokens().await;
    let other = provider.portal.another().await;
    let node = Provider { portal: other, user: provider.user.clone(), browser: provider.browser.clone() };
    let status = async || node.userinfo(&tokens["access_token"]).await.status;
    assert_eq!(status().await, StatusCode::OK);
    let path = format!("{}/{}", paths::USERS, provider.user);
    let disabled = root.send(Method::PATCH, &path, Some(json!({"disabled": true}).to_string()), &[]).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT, "{}", disabled.text);
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED, "here at once");
    assert_eq!(status().await, StatusCode::OK, "without its jobs the other node does not learn of it");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let jobs = tokio::spawn(server::jobs::run(node.portal.state.clone(), stopped));
    let refused = async {
        while status().await == StatusCode::OK {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    // The jobs follow several times a second; the limit is for slow machines.
    tokio::time::timeout(std::time::Duration::from_mins(1), refused).await.unwrap();
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    stop.send(true).unwrap();
    jobs.await.unwrap();
}

#[tokio::test]
async fn a_client_revokes_its_own_tokens_and_no_others() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let revoke = async |token: &str, client: &str| {
        let pairs = [("token", token), ("client_id", client), ("client_secret", SECRET)];
        provider.client(paths::OAUTH_REVOKE, &pairs, &[]).await.status
    };
    assert_eq!(revoke(access, "other").await, StatusCode::OK);
    assert!(provider.is_live(&tokens["access_token"]).await, "another client's request changes nothing");
    assert_eq!(revoke("nonsense", "app").await, StatusCode::OK);
    assert_eq!(revoke(tokens["refresh_token"].as_str().unwrap(), "app").await, StatusCode::OK);
    assert!(!provider.is_live(&tokens["access_token"]).await);
}

#[tokio::test]
async fn a_person_revokes_what_an_app_got() {
    let provider = Provider::start().await;
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/"), ("scope", "openid email")];
    let query = Provider::query(&other);
    let agreed = provider.enter(&provider.browser, &query, Some(true)).await.json();
    let code = parameters(agreed["location"].as_str().unwrap())["code"].clone();
    let changes = [("client_id", "other"), ("redirect_uri", "https://other.example/")];
    let tokens = provider.exchange(&code, &changes).await.json();
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK);
    let listed = provider.browser.get(paths::CONSENTS).await.json();
    assert_eq!(
        (&listed["consents"][0]["client"], &listed["consents"][0]["scope"]),
        (&json!("other"), &json!("email openid"))
    );
    let path = format!("{}/other", paths::CONSENTS);
    let bare = provider.browser.bare().send(Method::DELETE, &path, None, &[]).await;
    assert_eq!(bare.code(), "bad_proof");
    let revoked = provider.browser.send(Method::DELETE, &path, None, &[]).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(provider.browser.get(paths::CONSENTS).await.json()["consents"], json!([]));
    let skipped = provider.enter(&provider.browser, &query, None).await.json();
    assert!(skipped["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "asked again");
    assert_eq!(provider.browser.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_overview_shows_the_apps_that_a_person_may_open() {
    let staff = "[[clients]]\nid = 'hr'\nredirect_uris = ['https://hr.example/']\nurl = 'https://hr.example/'\n\
                 groups = ['administrator']\n";
    let provider = Provider::with(staff).await;
    let page = provider.browser.send(Method::GET, "/dashboard", None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains("href=\"https://spa.example/\""), "{}", page.text);
    assert!(!page.text.contains("https://hr.example/"), "for administrators");
    let refused = [("client_id", "hr"), ("redirect_uri", "https://hr.example/")];
    assert_eq!(provider.returned(&refused).await["error"], "access_denied");
}

#[tokio::test]
async fn attack_introspection_by_the_wrong_client_says_nothing() {
    let provider = Provider::start().await;
    let with_resource = [("resource", "https://api.example")];
    let tokens = provider.exchange(&provider.code(&with_resource).await, &[]).await.json();
    let access = &tokens["access_token"];
    assert_eq!(claims(access.as_str().unwrap())["aud"], "https://api.example");
    assert_eq!(provider.introspect(access, "other").await, json!({"active": false}));
    let told = provider.introspect(access, "api").await;
    assert_eq!(
        (&told["active"], &told["sub"], &told["client_id"]),
        (&json!(true), &json!(provider.user), &json!("app"))
    );
    let public = [("token", access.as_str().unwrap()), ("client_id", "spa")];
    assert_eq!(provider.client(paths::OAUTH_INTROSPECT, &public, &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn attack_tokens_of_a_client_open_nothing_at_the_portal() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let program = provider.portal.program("198.51.100.9");
    for name in ["access_token", "id_token", "refresh_token"] {
        let bearer = format!("Bearer {}", tokens[name].as_str().unwrap());
        let refused = program.send_each(Method::GET, paths::SESSION, None, &[("authorization", &bearer)]).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{name}");
    }
    // The portal's own token is not accepted as a client's.
    let login = program.login("alice", PASSWORD).await.json();
    assert_eq!(provider.userinfo(&login["tokens"]["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        provider.userinfo(&tokens["id_token"]).await.status,
        StatusCode::UNAUTHORIZED,
        "an ID token opens nothing"
    );
}

#[tokio::test]
async fn attack_a_token_in_the_url_is_not_read() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let path = format!("{}?access_token={}", paths::OAUTH_USERINFO, tokens["access_token"].as_str().unwrap());
    let refused = provider.portal.program("198.51.100.9").get(&path).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[tokio::test]
async fn absent_members_are_left_out_of_every_answer() {
    let hash = oidc::client::secret_hash(SECRET);
    let pair = "[[clients]]\nid = 'pair'\nsecret_hash = '";
    let pair = format!("{pair}{hash}'\nredirect_uris = ['https://pair.example/']\nsubject_type = 'pairwise'\n");
    let provider = Provider::with(&pair).await;
    let (app, pair) = (vec![], vec![("client_id", "pair"), ("redirect_uri", "https://pair.example/")]);
    for changes in [app, pair] {
        let client = changes.first().map_or("app", |(_, id)| *id);
        let tokens = provider.exchange(&provider.code(&changes).await, &changes).await.json();
        let answers = [
            provider.introspect(&tokens["access_token"], client).await,
            provider.introspect(&tokens["refresh_token"], client).await,
            provider.introspect(&json!("unknown"), client).await,
            provider.userinfo(&tokens["access_token"]).await.json(),
            claims(tokens["id_token"].as_str().unwrap()),
            claims(tokens["access_token"].as_str().unwrap()),
            tokens,
        ];
        for answer in answers {
            assert!(!has_null(&answer), "{client}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_code_without_pkce_needs_the_redirect_uri_of_its_request() {
    let provider = Provider::start().await;
    let old = [("client_id", "old"), ("redirect_uri", "https://old.example/")];
    let plain = [&old[..], &[("code_challenge", ""), ("code_challenge_method", "")]].concat();
    let exchange = async |code: &str, uri: &str, verifier: bool| {
        let mut changes = vec![("client_id", "old"), ("redirect_uri", uri)];
        if !verifier {
            changes.push(("code_verifier", ""));
        }
        provider.exchange(code, &changes).await.status
    };
    let code = provider.code(&plain).await;
    for wrong in ["", "https://old.example/other"] {
        assert_eq!(exchange(&code, wrong, false).await, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(exchange(&code, "https://old.example/", false).await, StatusCode::OK, "and it was not used up");
    assert_eq!(exchange(&provider.code(&old).await, "", true).await, StatusCode::OK, "with PKCE it may be left out");
}
