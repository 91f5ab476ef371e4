//! Authorization requests: from the link of an app to its answer.

use super::{Provider, URI, claims, parameters};
use crate::support::ORIGIN;
use domain::encoding::{base64url, sha256};
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

#[tokio::test]
async fn a_person_goes_through_sign_in_and_back_to_the_very_request() {
    let provider = Provider::start().await;
    let stranger = provider.portal.browser("203.0.113.8");
    let query = Provider::query(&[]);
    let to = provider.open(&stranger, &query).await;
    assert_eq!(to.status, StatusCode::SEE_OTHER, "{}", to.text);
    let location = to.header("location");
    assert!(location.starts_with("/login?next=/oauth/authorize%3F"), "{location}");
    let page = stranger.send(Method::GET, location, None, &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!(page.status, StatusCode::OK);
    let next = format!("data-next=\"{}?{}\"", paths::OAUTH_AUTHORIZE, query.replace('&', "&amp;"));
    assert!(page.text.contains(&next), "the page goes on to the very request: {}", page.text);

    let page = provider.open(&provider.browser, &query).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Opening The app"), "signed in already means straight on");
    assert!(page.text.contains("data-path=\"/api/oauth/authorize\""));
}

#[tokio::test]
async fn prompt_none_answers_without_asking() {
    let provider = Provider::start().await;
    let query = Provider::query(&[("prompt", "none")]);
    let stranger = provider.portal.browser("203.0.113.8");
    let to = parameters(provider.open(&stranger, &query).await.header("location"));
    assert_eq!((to["error"].as_str(), to["state"].as_str(), to["iss"].as_str()), ("login_required", "xyz", ORIGIN));
    assert!(provider.returned(&[("prompt", "none")]).await.contains_key("code"));
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/"), ("prompt", "none")];
    assert_eq!(provider.returned(&other).await["error"], "consent_required");
}

#[tokio::test]
async fn prompt_login_makes_the_person_sign_in_again() {
    let provider = Provider::start().await;
    // Longer ago than clocks of nodes may differ.
    provider.portal.advance(60_000).await;
    let query = Provider::query(&[("prompt", "login")]);
    let to = provider.open(&provider.browser, &query).await;
    let location = to.header("location").to_owned();
    assert!(location.starts_with("/login?next=") && location.ends_with("&why=again"), "{location}");
    let page = provider.browser.send(Method::GET, &location, None, &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!(page.status, StatusCode::OK, "the page is shown although a session exists");
    let next = page.text.split("data-next=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let marked = next.split_once('?').unwrap().1.to_owned();

    let still = provider.enter(&provider.browser, &marked, None).await.json();
    assert!(still["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "{still}");
    provider.portal.advance(5_000).await;
    let again = provider.browser.clone().signed_in("alice").await;
    let returned = provider.enter(&again, &marked, None).await.json();
    assert!(returned["location"].as_str().unwrap().starts_with(&format!("{URI}?code=")), "{returned}");
    // The mark is valid for this request and this server only.
    for forged in [marked.replace("xyz", "abc"), query.clone() + "&postern_sign_in=1.AAAAAAAAAAAAAAAAAAAAAA"] {
        let refused = provider.enter(&again, &forged, None).await.json();
        assert!(refused["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "{forged}");
    }
}

/// A sign-in of a moment ago is within the difference of clocks, but is not a new one.
#[tokio::test]
async fn attack_the_link_of_the_sign_in_page_is_opened_without_a_sign_in() {
    let provider = Provider::start().await;
    for changes in [("prompt", "login"), ("max_age", "1")] {
        provider.portal.advance(5_000).await;
        let to = provider.open(&provider.browser, &Provider::query(&[changes])).await;
        let page =
            provider.browser.send(Method::GET, to.header("location"), None, &[("sec-fetch-mode", "navigate")]).await;
        let next = page.text.split("data-next=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        let marked = next.split_once('?').unwrap().1;
        let still = provider.enter(&provider.browser, marked, None).await.json();
        assert!(still["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "{still}");
        let again = provider.browser.clone().signed_in("alice").await;
        let returned = provider.enter(&again, marked, None).await.json();
        assert!(returned["location"].as_str().unwrap().starts_with(&format!("{URI}?code=")), "{returned}");
    }
}

#[tokio::test]
async fn max_age_is_measured_from_the_sign_in() {
    let provider = Provider::start().await;
    provider.portal.advance(5_000).await;
    let answer = provider.enter(&provider.browser, &Provider::query(&[("max_age", "1")]), None).await.json();
    assert!(answer["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE));
    let returned = provider.returned(&[("max_age", "10000")]).await;
    let tokens = provider.exchange(&returned["code"], &[]).await.json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    // Issued five seconds later, and dated back for apps whose clocks are slow, but not to before the sign-in.
    assert_eq!(id["auth_time"], id["iat"]);
    provider.portal.advance(60_000).await;
    let tokens = provider.tokens().await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id["auth_time"].as_i64().unwrap() + 65, id["iat"].as_i64().unwrap() + 30);
}

#[tokio::test]
async fn people_are_asked_by_apps_that_are_not_the_operators_own() {
    let provider = Provider::start().await;
    let other = [("client_id", "other"), ("redirect_uri", "https://other.example/"), ("scope", "openid email")];
    let query = Provider::query(&other);
    let page = provider.open(&provider.browser, &query).await;
    assert!(page.text.contains("Continue to other?") && page.text.contains("see your e-mail address"), "{}", page.text);
    let skipped = provider.enter(&provider.browser, &query, None).await.json();
    assert!(skipped["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "nobody was asked");
    let declined = provider.enter(&provider.browser, &query, Some(false)).await.json();
    assert_eq!(parameters(declined["location"].as_str().unwrap())["error"], "access_denied");
    let agreed = provider.enter(&provider.browser, &query, Some(true)).await.json();
    assert!(parameters(agreed["location"].as_str().unwrap()).contains_key("code"));
    assert!(provider.returned(&other).await.contains_key("code"), "remembered");
    let more = Provider::query(&[&other[..2], &[("scope", "openid email groups")]].concat());
    let skipped = provider.enter(&provider.browser, &more, None).await.json();
    assert!(skipped["location"].as_str().unwrap().starts_with(paths::OAUTH_AUTHORIZE), "asked for more");
}

#[tokio::test]
async fn form_post_answers_with_a_page_that_may_post_to_the_app_alone() {
    let provider = Provider::start().await;
    let query = Provider::query(&[("response_mode", "form_post")]);
    let answer = provider.enter(&provider.browser, &query, None).await.json();
    let location = answer["location"].as_str().unwrap();
    let (page, fragment) = location.split_once('#').unwrap();
    assert!(fragment.starts_with("code=") && fragment.contains("&state=xyz&iss="), "{fragment}");
    assert!(!page.contains("code="), "no server receives the code in a URL");
    let page = provider.browser.send(Method::GET, page, None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains(&format!("<form method=\"post\" action=\"{URI}\" ")), "{}", page.text);
    assert!(page.header("content-security-policy").contains("form-action https://app.example;"));
    let evil = format!("{}?client_id=app&redirect_uri=https://evil.example/", paths::OAUTH_FORM_POST);
    assert_eq!(provider.browser.get(&evil).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn attack_a_link_to_the_form_page_posts_the_fields_of_a_stranger() {
    let provider = Provider::start().await;
    let query = Provider::query(&[("response_mode", "form_post")]);
    let answer = provider.enter(&provider.browser, &query, None).await.json();
    let (page, fragment) = answer["location"].as_str().unwrap().split_once('#').unwrap();
    let shown = provider.browser.get(page).await.text;
    let digest = base64url(&sha256(fragment.as_bytes()));
    assert!(shown.contains(&format!("data-digest=\"{digest}\"")), "it posts no other fragment: {shown}");
    let (bare, mark) = page.split_once("&mark=").unwrap();
    let other = base64url(&sha256(b"user=bob&confirm=yes"));
    let forged = mark.replacen(mark.split('.').next().unwrap(), &other, 1);
    for link in [bare.to_owned(), format!("{bare}&mark={forged}"), page.replace("client_id=app", "client_id=spa")] {
        assert_eq!(provider.browser.get(&link).await.status, StatusCode::NOT_FOUND, "{link}");
    }
    provider.portal.advance(11 * 60_000).await;
    assert_eq!(provider.browser.get(page).await.status, StatusCode::NOT_FOUND, "an old answer");
}

#[tokio::test]
async fn an_authorization_request_by_post_is_the_same() {
    let provider = Provider::start().await;
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("origin", "https://app.example"),
    ];
    let body = Some(Provider::query(&[]));
    let answer = provider.browser.send_each(Method::POST, paths::OAUTH_AUTHORIZE, body, &headers).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), format!("{}?{}", paths::OAUTH_AUTHORIZE, Provider::query(&[])));
}

#[tokio::test]
async fn attack_another_site_cannot_make_a_browser_ask_for_a_code() {
    let provider = Provider::start().await;
    let consent = Provider::query(&[("client_id", "other"), ("redirect_uri", "https://other.example/")]);
    for (path, body) in [
        (paths::OAUTH_ENTER, json!({ "request": Provider::query(&[]) })),
        (paths::OAUTH_ENTER, json!({ "request": consent, "agreed": true })),
        (paths::OAUTH_DEVICE_ANSWER, json!({ "user_code": "BCDF-GHJK", "agreed": true })),
        (paths::OAUTH_SIGN_OUT, json!({ "request": "" })),
    ] {
        for headers in [
            [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
            [("sec-fetch-site", "same-site"), ("origin", "https://evil.example")],
            [("sec-fetch-mode", "navigate"), ("origin", ORIGIN)],
        ] {
            let refused = provider.browser.send(Method::POST, path, Some(body.to_string()), &headers).await;
            assert_eq!(refused.code(), "cross_site", "{path} {headers:?}");
        }
    }
    assert_eq!(provider.browser.get(paths::CONSENTS).await.json()["consents"], json!([]), "nothing was agreed to");
    assert_eq!(provider.browser.get(paths::SESSION).await.status, StatusCode::OK);
    let framed = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    let path = format!("{}?{}", paths::OAUTH_AUTHORIZE, Provider::query(&[]));
    assert_eq!(provider.browser.send(Method::GET, &path, None, &framed).await.code(), "cross_site");
}

#[tokio::test]
async fn attack_a_copied_cookie_gets_no_code() {
    let provider = Provider::start().await;
    let thief = provider.browser.thief(&provider.portal, "198.51.100.66");
    let refused = provider.enter(&thief, &Provider::query(&[]), None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_proof"));
    let bare = provider.enter(&provider.browser.bare(), &Provider::query(&[]), None).await;
    assert_eq!(bare.code(), "bad_proof");
}

#[tokio::test]
async fn a_link_alone_writes_nothing() {
    let provider = Provider::start().await;
    let before = provider.portal.store().audit_of(&provider.user.as_str().into(), 99).await.unwrap().len();
    for _ in 0..3 {
        provider.open(&provider.browser, &Provider::query(&[])).await;
    }
    assert_eq!(provider.portal.store().audit_of(&provider.user.as_str().into(), 99).await.unwrap().len(), before);
}

#[tokio::test]
async fn attack_the_error_page_shows_both_uris_and_sends_nobody_away() {
    let provider = Provider::start().await;
    let evil = Provider::query(&[("redirect_uri", "https://evil.example/<script>")]);
    let shown = provider.open(&provider.browser, &evil).await;
    assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""));
    assert!(shown.text.contains(URI) && shown.text.contains("https://evil.example/&lt;script&gt;"), "{}", shown.text);
    let unknown = provider.open(&provider.browser, &Provider::query(&[("client_id", "nobody")])).await;
    assert_eq!((unknown.status, unknown.header("location")), (StatusCode::BAD_REQUEST, ""));
}

#[tokio::test]
async fn attack_an_id_token_of_one_app_is_no_hint_for_another() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    assert!(provider.returned(&[("id_token_hint", hint)]).await.contains_key("code"));
    let other = [("client_id", "spa"), ("redirect_uri", "https://spa.example/"), ("id_token_hint", hint)];
    assert_eq!(provider.returned(&other).await["error"], "invalid_request");
}
