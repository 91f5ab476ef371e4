//! The `claims` parameter and long links: the data that an app gets, and the requests that survive sign-in.

use crate::oidc::{Provider, SECRET, claims, parameters};
use crate::support::{Answer, Authenticator, Visitor};
use crate::{passkeys, second_factor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wire::paths;

const ALL: &str = r#"{"id_token":{"name":null,"preferred_username":null,"email":{"essential":true},"groups":null,"roles":null},"userinfo":{"preferred_username":null,"groups":null}}"#;

fn client(id: &str, more: &str) -> String {
    let hash = oidc::client::secret_hash(SECRET);
    format!("[[clients]]\nid = '{id}'\nsecret_hash = '{hash}'\nredirect_uris = ['https://{id}.example/']\n{more}\n")
}

async fn page(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(Method::GET, path, None, &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]).await
}

/// Answers a request, and exchanges its code.
async fn tokens(provider: &Provider, own: &[(&str, &str)], query: &str, agreed: Option<bool>) -> Value {
    let answer = provider.enter(&provider.browser, query, agreed).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let code = parameters(answer.json()["location"].as_str().unwrap())["code"].clone();
    let answer = provider.exchange(&code, own).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn attack_a_claim_by_name_gives_what_the_scopes_of_the_client_do_not() {
    let provider = Provider::with(&client("min", "scopes = ['openid']\nconsent = true")).await;
    let own = [("client_id", "min"), ("redirect_uri", "https://min.example/")];
    let query = Provider::query(&[&own[..], &[("scope", "openid"), ("claims", ALL)]].concat());
    let asked = provider.open(&provider.browser, &query).await;
    assert!(asked.text.contains("recognise you") && !asked.text.contains("see your"), "{}", asked.text);
    let tokens = tokens(&provider, &own, &query, Some(true)).await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    let info = provider.userinfo(&tokens["access_token"]).await.json();
    assert_eq!(info["sub"], provider.user.as_str());
    for claim in ["name", "preferred_username", "email", "groups", "roles"] {
        assert!(id[claim].is_null() && info[claim].is_null(), "{claim}: {id} {info}");
    }
}

#[tokio::test]
async fn a_claim_by_name_is_asked_for_and_remembered_as_its_scope() {
    let provider = Provider::start().await;
    let own = [("client_id", "other"), ("redirect_uri", "https://other.example/")];
    let plain = [&own[..], &[("scope", "openid")]].concat();
    let named = [&plain[..], &[("claims", ALL)]].concat();
    tokens(&provider, &own, &Provider::query(&plain), Some(true)).await;
    let query = Provider::query(&named);
    let asked = provider.enter(&provider.browser, &query, None).await.json();
    assert_eq!(asked["location"], format!("{}?{query}", paths::OAUTH_AUTHORIZE), "the person is asked");
    let quiet = Provider::query(&[&named[..], &[("prompt", "none")]].concat());
    let quiet = provider.enter(&provider.browser, &quiet, None).await.json();
    assert_eq!(parameters(quiet["location"].as_str().unwrap())["error"], "consent_required");
    let asked = provider.open(&provider.browser, &query).await;
    for part in ["see your user name", "see your e-mail address", "see your groups"] {
        assert!(asked.text.contains(part), "{part}: {}", asked.text);
    }
    let first = tokens(&provider, &own, &query, Some(true)).await;
    assert_eq!(first["scope"], "openid", "the token has the scopes of the request");
    assert_eq!(claims(first["id_token"].as_str().unwrap())["preferred_username"], "alice");
    let info = provider.userinfo(&first["access_token"]).await.json();
    assert_eq!((&info["groups"], &info["name"]), (&json!([]), &Value::Null), "the named ones, and no others");
    let listed = provider.browser.get(paths::CONSENTS).await.json();
    assert_eq!(listed["consents"][0]["scope"], "email groups openid profile");
    tokens(&provider, &own, &query, None).await;
}

#[tokio::test]
async fn a_higher_level_than_the_essential_one_is_enough_and_the_token_names_the_asked_one() {
    let provider = Provider::start().await;
    let level = |levels: Value| json!({"id_token": {"acr": {"essential": true, "values": levels}}}).to_string();
    let entered = async |browser: &Visitor, claims: &str| {
        let answer = provider.enter(browser, &Provider::query(&[("claims", claims)]), None).await.json();
        parameters(answer["location"].as_str().unwrap())
    };
    let acr = async |browser: &Visitor, levels: Value| {
        let code = entered(browser, &level(levels)).await.remove("code").expect("a code");
        let tokens = provider.exchange(&code, &[]).await.json();
        claims(tokens["id_token"].as_str().unwrap())["acr"].clone()
    };
    second_factor::register(&provider.portal, &provider.browser).await;
    assert_eq!(acr(&provider.browser, json!(["urn:postern:acr:1"])).await, "urn:postern:acr:1");
    assert_eq!(acr(&provider.browser, json!(["urn:postern:acr:1", "urn:postern:acr:2"])).await, "urn:postern:acr:2");
    assert!(!entered(&provider.browser, &level(json!(["urn:postern:acr:phr"]))).await.contains_key("code"));
    assert!(!entered(&provider.browser, &level(json!(["urn:other"]))).await.contains_key("code"));

    let mut authenticator = Authenticator::new();
    assert_eq!(passkeys::register(&provider.browser, &mut authenticator).await.status, StatusCode::CREATED);
    let another = provider.portal.browser("203.0.113.9");
    assert_eq!(passkeys::sign_in(&another, &authenticator).await.status, StatusCode::OK);
    assert_eq!(acr(&another, json!(["urn:postern:acr:2"])).await, "urn:postern:acr:2");
    assert_eq!(acr(&another, json!(["urn:postern:acr:2", "urn:postern:acr:phr"])).await, "urn:postern:acr:phr");
    let code = entered(&another, "{}").await.remove("code").expect("a code");
    let tokens = provider.exchange(&code, &[]).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["acr"], "urn:postern:acr:phr", "if none is asked for");
}

/// Browsers and programs leave some characters of a query as they are, and state may be long.
#[tokio::test]
async fn a_link_with_odd_characters_or_long_values_survives_sign_in() {
    let provider = Provider::start().await;
    let (brace, long) = ("{\"a\":`é\\}", "{".repeat(2048));
    let longer = "a".repeat(8192);
    for state in [brace, &long, &longer] {
        let raw = state.replace('"', "%22");
        let query =
            format!("{}&state={raw}&claims={{%22id_token%22:{{%22name%22:null}}}}", Provider::query(&[("state", "")]));
        let stranger = provider.portal.browser("203.0.113.8");
        let to = provider.open(&stranger, &query).await;
        let login = page(&stranger, to.header("location")).await;
        let next = login.text.split("data-next=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        let (path, kept) = next.split_once('?').unwrap_or((&next, ""));
        assert_eq!(path, paths::OAUTH_AUTHORIZE, "{query}");
        let answer = provider.enter(&provider.browser, kept, None).await.json();
        let location = answer["location"].as_str().unwrap();
        let returned = oidc::params::pairs(location.split_once('?').unwrap().1);
        assert!(returned.contains(&("state".to_owned(), state.to_owned())), "{returned:?}");
        assert!(location.contains("code="), "{location}");
    }
}

#[tokio::test]
async fn a_link_that_is_too_long_gets_a_page_that_says_so() {
    let provider = Provider::start().await;
    let stranger = provider.portal.browser("203.0.113.8");
    let longest = "a".repeat(15 * 1024);
    for browser in [&provider.browser, &stranger] {
        let shown = provider.open(browser, &Provider::query(&[("state", &longest)])).await;
        assert_eq!((shown.status, shown.header("location")), (StatusCode::URI_TOO_LONG, ""));
        assert!(shown.text.contains("pushed authorization requests"), "{}", shown.text);
        let shown = page(browser, &format!("{}?state={longest}", paths::OAUTH_LOGOUT)).await;
        assert_eq!(shown.status, StatusCode::URI_TOO_LONG);
    }
    // A long state comes back with every answer.
    let long = "a".repeat(8192);
    let states = [
        provider.returned(&[("state", &long)]).await,
        provider.returned(&[("state", &long), ("response_mode", "form_post")]).await,
        provider.returned(&[("state", &long), ("scope", "unknown")]).await,
        parameters(
            provider
                .open(&stranger, &Provider::query(&[("state", &long), ("prompt", "none")]))
                .await
                .header("location"),
        ),
    ];
    for returned in states {
        assert_eq!(returned["state"], long);
    }
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/"), ("state", &long)];
    let agreed = provider.enter(&provider.browser, &Provider::query(&other), Some(true)).await.json();
    assert_eq!(parameters(agreed["location"].as_str().unwrap())["state"], long);
}
