//! Clients that some people may use, and the names by which they know people.

use crate::oidc::{Provider, SECRET, claims, form, parameters};
use crate::support::{Answer, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

async fn page(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(Method::GET, path, None, &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]).await
}

#[tokio::test]
async fn a_client_that_needs_a_second_factor_refuses_a_password() {
    let strict = format!(
        "[[clients]]\nid = 'strict'\nsecret_hash = '{}'\nredirect_uris = ['https://strict.example/']\n\
         second_factor = 'required'\ndevice = true\n",
        oidc::client::secret_hash(SECRET)
    );
    let provider = Provider::with(&strict).await;
    let query = Provider::query(&[("client_id", "strict"), ("redirect_uri", "https://strict.example/")]);
    let to = provider.open(&provider.browser, &query).await;
    let location = to.header("location");
    assert!(location.starts_with(paths::ENROL_PAGE) && location.contains("factor=required"), "{location}");
    assert!(location.contains("strict.example"), "and back to the app: {location}");
    let answered = provider.enter(&provider.browser, &query, None).await.json();
    let location = answered["location"].as_str().unwrap();
    assert!(location.starts_with(paths::OAUTH_AUTHORIZE), "no code, but the page again: {location}");
    let quiet = provider.enter(&provider.browser, &format!("{query}&prompt=none"), None).await.json();
    let quiet = parameters(quiet["location"].as_str().unwrap());
    assert_eq!(quiet["error"], "interaction_required");
    let device = [("client_id", "strict"), ("client_secret", SECRET)];
    let codes = provider.client(paths::OAUTH_DEVICE, &device, &[]).await.json();
    let answer = json!({"user_code": codes["user_code"], "agreed": true});
    let refused = provider.browser.post(paths::OAUTH_DEVICE_ANSWER, &answer).await;
    assert_eq!(refused.code(), "insufficient_user_authentication", "nor by a device: {}", refused.text);
}

#[tokio::test]
async fn a_person_who_leaves_the_group_loses_the_app() {
    let staff = format!(
        "[[clients]]\nid = 'staff'\nsecret_hash = '{}'\nredirect_uris = ['https://staff.example/']\ngroups = ['staff']\n",
        oidc::client::secret_hash(SECRET)
    );
    let provider = Provider::with(&staff).await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    root.post(paths::GROUPS, &json!({"name": "staff"})).await;
    let join = async |groups: &str| {
        let path = format!("{}/{}", paths::USERS, provider.user);
        let changed = root.send(Method::PATCH, &path, Some(json!({"groups": groups}).to_string()), &[]).await;
        assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    };
    let own = [("client_id", "staff"), ("redirect_uri", "https://staff.example/")];
    assert_eq!(provider.returned(&own).await["error"], "access_denied");
    join("staff").await;
    let tokens = provider.exchange(&provider.code(&own).await, &own).await.json();
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::OK);
    join("").await;
    assert_eq!(provider.userinfo(&tokens["access_token"]).await.status, StatusCode::UNAUTHORIZED);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", "staff"),
        ("client_secret", SECRET),
    ];
    let refused = provider.client(paths::OAUTH_TOKEN, &refresh, &[]).await.json();
    assert_eq!(refused["error"], "invalid_grant", "{refused}");
    join("staff").await;
    assert_eq!(provider.client(paths::OAUTH_TOKEN, &refresh, &[]).await.status, StatusCode::OK, "and it cost no token");
}

#[tokio::test]
async fn pairwise_clients_know_a_person_by_different_names() {
    let pair = |id: &str, host: &str| {
        format!(
            "[[clients]]\nid = '{id}'\nsecret_hash = '{}'\nredirect_uris = ['https://{host}/']\nsubject_type = 'pairwise'\n\
             post_logout_redirect_uris = ['https://{host}/bye']\n",
            oidc::client::secret_hash(SECRET)
        )
    };
    let settings = [pair("one", "one.example"), pair("two", "two.example"), pair("uno", "one.example")].concat();
    let provider = Provider::with(&settings).await;
    let own = [("client_id", "one"), ("redirect_uri", "https://one.example/")];
    for _ in 0..10 {
        provider.open(&provider.browser, &Provider::query(&own)).await;
        let logout = format!("{}?client_id=one", paths::OAUTH_LOGOUT);
        page(&provider.browser, &logout).await;
    }
    let known = provider.portal.store().known_subject("one.example", &provider.user.as_str().into()).await.unwrap();
    assert_eq!(known, None, "a link alone writes nothing");
    let tokens = async |id: &'static str, uri: &'static str| {
        let own = [("client_id", id), ("redirect_uri", uri)];
        provider.exchange(&provider.code(&own).await, &own).await.json()
    };
    let one = tokens("one", "https://one.example/").await;
    let sub = |tokens: &Value| claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned();
    let two = tokens("two", "https://two.example/").await;
    let (first, uno) = (sub(&one), sub(&tokens("uno", "https://one.example/").await));
    assert_ne!(first, provider.user, "not the account's id");
    assert_ne!(first, sub(&two));
    assert_eq!(first, uno, "the same in one sector");
    assert_eq!(first, sub(&tokens("one", "https://one.example/").await), "and again");
    assert_eq!(provider.userinfo(&one["access_token"]).await.json()["sub"], first.as_str());
    assert_eq!(claims(one["access_token"].as_str().unwrap())["sub"], first.as_str());
    let token = one["access_token"].as_str().unwrap();
    let known = [("token", token), ("client_id", "one"), ("client_secret", SECRET)];
    let known = provider.client(paths::OAUTH_INTROSPECT, &known, &[]).await.json();
    assert_eq!((&known["sub"], &known["username"]), (&json!(first), &Value::Null));
    let sid = |token: &str| claims(token)["sid"].as_str().unwrap().to_owned();
    let own_sid = sid(one["id_token"].as_str().unwrap());
    assert_eq!(
        (sid(token), known["sid"].as_str().unwrap()),
        (own_sid.clone(), own_sid.as_str()),
        "one name everywhere"
    );
    let two_sid = sid(two["id_token"].as_str().unwrap());
    assert_ne!(own_sid, two_sid, "or the session would tell who the person is");
    let app = provider.tokens().await;
    assert_ne!(own_sid, sid(app["id_token"].as_str().unwrap()));
    // Its own name is a hint; the account's id is somebody else's.
    let hint = one["id_token"].as_str().unwrap();
    let own = [("client_id", "one"), ("redirect_uri", "https://one.example/")];
    let hinted = [own[0], own[1], ("id_token_hint", hint)];
    assert!(provider.returned(&hinted).await.contains_key("code"));
    let by_id = format!(r#"{{"id_token":{{"sub":{{"value":"{}"}}}}}}"#, provider.user);
    let by_id = [own[0], own[1], ("claims", by_id.as_str()), ("prompt", "none")];
    assert_eq!(provider.returned(&by_id).await["error"], "login_required");
    let query = form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://one.example/bye")]);
    let page = page(&provider.browser, &format!("{}?{query}", paths::OAUTH_LOGOUT)).await;
    assert!(page.text.contains("the sign-out page"), "the hint is of this session: {}", page.text);
}
