//! Requests at the edges of the standards, as a strict client or test suite sends them.

use crate::oidc::{Provider, SECRET, URI, claims, clients, form, header, parameters};
use crate::support::{Answer, ClientKey, ORIGIN, Visitor};
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::{Method, Request, StatusCode};
use oidc::params::with_query;
use serde_json::json;
use server::flows::server_keys::rotate_due;
use std::net::SocketAddr;
use tower::ServiceExt;
use wire::paths;

/// The endpoints of clients that take a form.
const FORMS: [&str; 5] =
    [paths::OAUTH_TOKEN, paths::OAUTH_REVOKE, paths::OAUTH_INTROSPECT, paths::OAUTH_PAR, paths::OAUTH_DEVICE];

async fn page(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(Method::GET, path, None, &[("sec-fetch-mode", "navigate"), ("accept", "text/html")]).await
}

async fn post_form(visitor: &Visitor, path: &str, body: &str) -> Answer {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ];
    visitor.send_each(Method::POST, path, Some(body.to_owned()), &headers).await
}

#[tokio::test]
async fn every_error_of_a_client_is_json_that_any_origin_reads() {
    let provider = Provider::start().await;
    for path in FORMS {
        let long = provider.client(path, &[("client_id", "spa"), ("x", &"x".repeat(20_000))], &[]).await;
        let wrong = provider.client(path, &[("client_id", "nobody")], &[]).await;
        let program = provider.portal.program("198.51.100.9");
        let json = program.send_each(Method::POST, path, Some("{}".to_owned()), &[]).await;
        let request = Request::post(path)
            .header("host", "localhost:3000")
            .header("content-type", "application/x-www-form-urlencoded")
            .extension(ConnectInfo(SocketAddr::from(([198, 51, 100, 9], 40_000))))
            .body(Body::from(&b"client_id=spa&x=\xff"[..]));
        let answer = provider.portal.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let text = String::from_utf8(to_bytes(body, 10_000).await.unwrap().to_vec()).unwrap();
        let bytes = Answer { status: parts.status, headers: parts.headers, text };
        for (answer, status, error) in [
            (long, StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"),
            (wrong, StatusCode::UNAUTHORIZED, "invalid_client"),
            (json, StatusCode::BAD_REQUEST, "invalid_request"),
            (bytes, StatusCode::BAD_REQUEST, "invalid_request"),
        ] {
            assert_eq!(
                (answer.status, answer.json()["error"].as_str()),
                (status, Some(error)),
                "{path}: {}",
                answer.text
            );
            assert_eq!(answer.header("content-type"), "application/json", "{path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}: {error}");
            assert!(answer.header("access-control-expose-headers").contains("Retry-After"), "{path}: {error}");
            let challenged = answer.header("www-authenticate").starts_with("Basic ");
            assert_eq!(challenged, status == StatusCode::UNAUTHORIZED, "{path}: {error}");
        }
    }
}

#[tokio::test]
async fn a_wrong_method_gets_405_and_the_right_ones() {
    let provider = Provider::start().await;
    let program = provider.portal.program("198.51.100.9");
    for (path, allow) in FORMS.map(|path| (path, "POST")).into_iter().chain([
        (paths::OAUTH_USERINFO, "GET,HEAD,POST"),
        (paths::OAUTH_REGISTER, "POST"),
        (paths::JWKS, "GET,HEAD"),
        (paths::OPENID_CONFIGURATION, "GET,HEAD"),
    ]) {
        let refused = program.send_each(Method::PATCH, path, Some("{}".to_owned()), &[]).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.header("access-control-allow-origin"), "*", "{path}");
        for method in allow.split(',') {
            assert!(refused.header("allow").split(',').any(|own| own == method), "{path}: {}", refused.header("allow"));
        }
    }
    // A token in a URL is never read, so that it is in no log.
    let query = with_query(paths::OAUTH_TOKEN, &[("client_id", "app"), ("client_secret", SECRET)]);
    assert_eq!(program.send_each(Method::GET, &query, None, &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let in_query = provider.client(&query, &[("grant_type", "refresh_token"), ("refresh_token", "x")], &[]).await;
    assert_eq!(in_query.json()["error"], "invalid_client", "nor are parameters: {}", in_query.text);
}

#[tokio::test]
async fn a_browser_of_another_origin_may_ask_before_each_request() {
    let provider = Provider::start().await;
    let program = provider.portal.program("198.51.100.9");
    let foreign = [("origin", "https://spa.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    let own = format!("{}/7", paths::OAUTH_REGISTER);
    for path in [
        paths::OPENID_CONFIGURATION,
        paths::OAUTH_SERVER,
        paths::JWKS,
        paths::PROTECTED_RESOURCE,
        paths::PROTECTED_USERINFO,
        paths::WEBFINGER,
        paths::OAUTH_TOKEN,
        paths::OAUTH_USERINFO,
        paths::OAUTH_REVOKE,
        paths::OAUTH_PAR,
        paths::OAUTH_DEVICE,
        paths::OAUTH_REGISTER,
        &own,
    ] {
        let asked = program.send_each(Method::OPTIONS, path, None, &foreign).await;
        assert_eq!(
            (asked.status, asked.header("access-control-allow-origin")),
            (StatusCode::NO_CONTENT, "*"),
            "{path}"
        );
        assert!(asked.header("access-control-allow-methods").contains("PUT"), "{path}");
    }
    // Pages are for navigations only.
    for path in [paths::OAUTH_AUTHORIZE, paths::OAUTH_LOGOUT] {
        let asked = program.send_each(Method::OPTIONS, path, None, &foreign).await;
        assert_eq!(asked.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let provider = Provider::start().await;
    let pairs = [("token", "x"), ("client_id", "app"), ("client_secret", SECRET)];
    let one = provider.client(paths::OAUTH_REVOKE, &pairs, &[("authorization", "Bearer x")]).await;
    assert_eq!(one.status, StatusCode::OK, "another scheme says nothing about the client: {}", one.text);
    let two = [("authorization", "Bearer x"), ("authorization", "Basic YTpi")];
    let two = provider.client(paths::OAUTH_REVOKE, &pairs, &two).await;
    assert_eq!((two.status, &two.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
}

#[tokio::test]
async fn a_request_by_post_keeps_what_is_wrong_with_it() {
    let provider = Provider::start().await;
    // A line break in a value must fit into the redirect, and a repetition must reach the check.
    let body = format!("{}&state=x\ny&login_hint=\u{fc}", Provider::query(&[]));
    let to = post_form(&provider.browser, paths::OAUTH_AUTHORIZE, &body).await;
    assert_eq!(to.status, StatusCode::SEE_OTHER, "{}", to.text);
    let location = to.header("location").to_owned();
    assert!(location.ends_with("&state=x%0Ay&login_hint=%C3%BC"), "{location}");
    let refused = parameters(page(&provider.browser, &location).await.header("location"));
    assert_eq!(refused["error"], "invalid_request", "{refused:?}");

    let twice = "post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&client_id=app&client_id=spa";
    let to = post_form(&provider.browser, paths::OAUTH_LOGOUT, twice).await;
    let shown = page(&provider.browser, to.header("location")).await;
    assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{}", shown.text);
}

#[tokio::test]
async fn a_pushed_request_is_bound_to_the_key_of_its_proof() {
    let provider = Provider::start().await;
    let (own, other) = (ClientKey::generate(), ClientKey::generate());
    let at = |path: &str| format!("{ORIGIN}{path}");
    let query = Provider::query(&[("scope", "openid")]);
    let push = async |key: &ClientKey, more: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> = parameters(&format!("?{query}")).into_iter().collect();
        let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.push(("client_secret", SECRET));
        pairs.extend(more);
        let first =
            provider.client(paths::OAUTH_PAR, &pairs, &[("dpop", &key.prove(&at(paths::OAUTH_PAR), "none"))]).await;
        assert_eq!(first.json()["error"], "use_dpop_nonce", "{}", first.text);
        let proof = key.prove(&at(paths::OAUTH_PAR), first.header("dpop-nonce"));
        provider.client(paths::OAUTH_PAR, &pairs, &[("dpop", &proof)]).await
    };
    let thumbprint = oidc::pkce::challenge("another key");
    let differs = push(&own, &[("dpop_jkt", &thumbprint)]).await;
    assert_eq!((differs.status, &differs.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_dpop_proof")));
    for (key, status) in [(&other, StatusCode::BAD_REQUEST), (&own, StatusCode::OK)] {
        let pushed = push(&own, &[("dpop_jkt", "")]).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
        let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
        // Twice the same parameter is refused, and uses up nothing.
        let twice = form(&[("client_id", "app"), ("request_uri", &uri), ("request_uri", &uri)]);
        assert_eq!(provider.open(&provider.browser, &twice).await.status, StatusCode::BAD_REQUEST);
        let query = form(&[("client_id", "app"), ("request_uri", &uri)]);
        let entered = provider.enter(&provider.browser, &query, None).await.json();
        let code = parameters(entered["location"].as_str().unwrap())["code"].clone();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", URI),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            ("client_id", "app"),
            ("client_secret", SECRET),
        ];
        let nonce =
            provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &key.prove(&at(paths::OAUTH_TOKEN), "none"))]).await;
        let proof = key.prove(&at(paths::OAUTH_TOKEN), nonce.header("dpop-nonce"));
        let tokens = provider.client(paths::OAUTH_TOKEN, &pairs, &[("dpop", &proof)]).await;
        assert_eq!(tokens.status, status, "{}", tokens.text);
    }
}

#[tokio::test]
async fn a_challenge_names_no_error_for_a_request_without_a_token() {
    let provider = Provider::start().await;
    let program = provider.portal.program("198.51.100.9");
    let bare = program.get(paths::OAUTH_USERINFO).await;
    let described = format!("resource_metadata=\"{ORIGIN}{}\"", paths::PROTECTED_USERINFO);
    assert_eq!(
        (bare.status, bare.header("www-authenticate")),
        (StatusCode::UNAUTHORIZED, &*format!("Bearer {described}"))
    );
    assert_eq!(bare.header("access-control-allow-origin"), "*");
    let wrong = provider.userinfo(&json!("x")).await;
    assert_eq!(wrong.header("www-authenticate"), format!("Bearer error=\"invalid_token\", {described}"));
    let headers = [("authorization", "DPoP x")];
    let unknown = program.send_each(Method::GET, paths::OAUTH_USERINFO, None, &headers).await;
    let challenge = format!("DPoP algs=\"ES256\", error=\"invalid_token\", {described}");
    assert_eq!(unknown.header("www-authenticate"), challenge, "the scheme of the request (RFC 9449, section 7.1)");
    let tokens = provider.tokens().await;
    let token = tokens["access_token"].as_str().unwrap();
    let twice = provider.client(paths::OAUTH_USERINFO, &[("access_token", token), ("access_token", token)], &[]).await;
    assert_eq!((twice.status, &twice.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
    let head = format!("Bearer {token}");
    let head = program.send_each(Method::HEAD, paths::OAUTH_USERINFO, None, &[("authorization", &head)]).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn parameters_of_any_text_come_back_or_are_refused() {
    let provider = Provider::start().await;
    for text in ["\u{fc}\u{1f511}", "a b+c&d=e#f", "\"><script>", "%25%00", "\r\nlocation: x", "\0"] {
        provider.portal.advance(30_000).await;
        let returned = provider.enter(&provider.browser, &Provider::query(&[("state", text)]), None).await.json();
        let location = returned["location"].as_str().unwrap();
        let state = oidc::params::pairs(location.split_once('?').unwrap().1);
        let state = state.iter().find(|(name, _)| name == "state").map(|(_, value)| value.as_str());
        assert_eq!(state, Some(text), "{location}");
        assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
        let code = provider.code(&[("nonce", text)]).await;
        let tokens = provider.exchange(&code, &[]).await.json();
        assert_eq!(claims(tokens["id_token"].as_str().unwrap())["nonce"], text);
        for name in ["client_id", "redirect_uri"] {
            let shown = provider.open(&provider.browser, &Provider::query(&[(name, text)])).await;
            assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{name} {text:?}");
            assert!(!shown.text.contains("\"><script>"), "{}", shown.text);
        }
        for name in [
            "response_type",
            "response_mode",
            "scope",
            "prompt",
            "max_age",
            "code_challenge",
            "claims",
            "id_token_hint",
            "dpop_jkt",
            "resource",
            "request",
            "request_uri",
            "registration",
        ] {
            let refused = provider.returned(&[(name, text)]).await;
            assert!(refused.contains_key("error") && refused["state"] == "xyz", "{name} {text:?}: {refused:?}");
        }
        for name in ["login_hint", "acr_values", "ui_locales", "claims_locales", "display", "unknown"] {
            assert!(provider.returned(&[(name, text)]).await.contains_key("code"), "{name} {text:?}");
        }
    }
    for (name, longest) in [("state", 8192), ("nonce", 512)] {
        let (fits, long) = ("x".repeat(longest), "x".repeat(longest + 1));
        assert!(provider.returned(&[(name, &fits)]).await.contains_key("code"));
        assert_eq!(provider.returned(&[(name, &long)]).await["error"], "invalid_request");
    }
}

#[tokio::test]
async fn a_resource_counts_once() {
    let provider = Provider::start().await;
    let api = "https://api.example";
    let twice = format!("{}&{}", Provider::query(&[]), form(&[("resource", api), ("resource", api)]));
    let entered = provider.enter(&provider.browser, &twice, None).await.json();
    let code = parameters(entered["location"].as_str().unwrap())["code"].clone();
    let tokens = provider.exchange(&code, &[("resource", api)]).await.json();
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["aud"], api, "{tokens}");
    let token = tokens["refresh_token"].as_str().unwrap();
    let foreign = provider.refresh(token, &[("resource", api), ("resource", "https://other.example")]).await;
    assert_eq!((foreign.status, &foreign.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_target")));
}

#[tokio::test]
async fn an_expired_id_token_is_still_a_hint() {
    let provider = Provider::start().await;
    let tokens = provider.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    provider.portal.advance(60 * 60_000).await;
    provider.browser.refresh().await;
    assert!(claims(hint)["exp"].as_i64().unwrap() < provider.portal.clock_now().to_seconds().as_seconds());
    assert!(provider.returned(&[("id_token_hint", hint), ("prompt", "none")]).await.contains_key("code"));
    let query = form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://app.example/bye")]);
    let shown = page(&provider.browser, &format!("{}?{query}", paths::OAUTH_LOGOUT)).await;
    assert!(shown.text.contains("data-path=\"/api/oauth/logout\""), "{}", shown.text);
    // Not one with the signature of another.
    let other = provider.tokens().await;
    let signature = other["id_token"].as_str().unwrap().rsplit('.').next().unwrap();
    let forged = format!("{}.{signature}", hint.rsplit_once('.').unwrap().0);
    let refused = provider.returned(&[("id_token_hint", &forged)]).await;
    assert_eq!(refused["error"], "invalid_request");
}

/// Apps keep ID tokens as long as their own sessions, and send them back at the end.
#[tokio::test]
async fn an_id_token_is_a_hint_after_its_key_was_replaced_and_erased_but_not_after_it_was_revoked() {
    const DAY: i64 = 24 * 60 * 60_000;
    let provider = Provider::with("[session]\nidle = '30d'\nabsolute = '30d'\n").await;
    let root = provider.portal.administrator().await;
    let tokens = provider.tokens().await;
    let old = tokens["id_token"].as_str().unwrap();
    let rotated = root.post(paths::ROTATE_SERVER_KEY, &json!({"kind": "id_token"})).await;
    assert_eq!(rotated.status, StatusCode::CREATED, "{}", rotated.text);
    provider.portal.advance(DAY / 2).await;
    provider.browser.refresh().await;
    let new = provider.tokens().await["id_token"].as_str().unwrap().to_owned();
    assert_ne!(header(old)["kid"], header(&new)["kid"]);
    provider.portal.advance(2 * DAY).await;
    rotate_due(&provider.portal.state).await.unwrap();
    let kid = header(old)["kid"].clone();
    let row = provider.portal.store().keys().await.unwrap().into_iter().find(|key| kid == key.kid).unwrap();
    assert_eq!(row.sealed, "", "the private half is erased");
    provider.browser.refresh().await;
    let shown = async |browser: &Visitor, hint: &str| {
        let query = form(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://app.example/bye")]);
        page(browser, &format!("{}?{query}", paths::OAUTH_LOGOUT)).await.text
    };
    let node = provider.portal.another_with(&clients()).await;
    for browser in [provider.browser.clone(), provider.browser.at(&node)] {
        for hint in [old, &new] {
            assert!(shown(&browser, hint).await.contains("the sign-out page"), "it is of this session");
        }
    }
    assert!(provider.returned(&[("id_token_hint", old), ("prompt", "none")]).await.contains_key("code"));
    // Others may sign with a revoked key.
    root.refresh().await;
    root.confirm().await;
    let path = format!("{}/{}", paths::SERVER_KEYS, header(&new)["kid"].as_str().unwrap());
    assert!(root.send(Method::DELETE, &path, Some("{}".to_owned()), &[]).await.status.is_success());
    assert!(!shown(&provider.browser, &new).await.contains("the sign-out page"));
    assert_eq!(provider.returned(&[("id_token_hint", &new)]).await["error"], "invalid_request");
}

#[tokio::test]
async fn every_claim_of_the_discovery_document_is_given() {
    let provider = Provider::start().await;
    let portal = &provider.portal;
    let document = portal.program("198.51.100.9").get(paths::OPENID_CONFIGURATION).await.json();
    let tokens = provider.tokens().await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    for claim in document["claims_supported"].as_array().unwrap() {
        let claim = claim.as_str().unwrap();
        // An account without a proved address has none.
        assert!(id.get(claim).is_some() || claim.starts_with("email"), "{claim}: {id}");
    }
}
