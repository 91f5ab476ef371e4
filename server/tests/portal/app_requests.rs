//! `/api/verify`: the requests of apps that their proxy asks about.

use crate::support::Portal;
use crate::support::apps::{APPS, AppBrowser, PROXY, SHOP, WIKI, open_at_app, verify, verify_with};
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

#[tokio::test]
async fn only_a_trusted_proxy_is_believed_and_only_if_it_says_each_thing_once() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    let headers = [("x-forwarded-proto", "https"), ("x-forwarded-host", "wiki.example"), ("x-forwarded-method", "GET")];
    for peer in ["203.0.113.7", "127.0.0.1", "10.0.0.2"] {
        let more = [headers.as_slice(), &[("x-forwarded-uri", "/assets/x")]].concat();
        let answer = alice.wiki.moved(peer).send(Method::GET, paths::VERIFY, None, &more).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{peer}");
    }
    for missing in ["x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri", "x-forwarded-method"] {
        let answer = verify_with(&alice.wiki, WIKI, "/", &[(missing, ""), ("sec-fetch-mode", "cors")]).await;
        assert_eq!(answer.code(), "bad_request", "{missing}");
    }
    for (name, value) in
        [("x-forwarded-host", "evil.example"), ("x-forwarded-host", "wiki.example:8443"), ("x-forwarded-proto", "http")]
    {
        let answer = verify_with(&alice.wiki, WIKI, "/", &[(name, value), ("sec-fetch-mode", "cors")]).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "no_app"), "{name}: {value}");
    }
    for (host, code) in [
        ("wiki.example, evil.example", "bad_request"),
        ("wiki.example:0", "bad_request"),
        ("wiki.example:65536", "bad_request"),
        ("wiki.example:x", "bad_request"),
        ("wiki.example..", "bad_request"),
        ("[wiki.example]", "bad_request"),
        ("[::1", "bad_request"),
        ("[::1]", "no_app"),
        ("wiki.example:", ""),
        ("WIKI.example.:443", ""),
    ] {
        let answer =
            verify_with(&alice.wiki, WIKI, "/", &[("x-forwarded-host", host), ("sec-fetch-mode", "cors")]).await;
        let given = if answer.status == StatusCode::OK { String::new() } else { answer.code() };
        assert_eq!(given, code, "{host}: {}", answer.text);
    }
    // Headers about the identity that a client sends itself do not reach the answer.
    let spoofed = [("remote-user", "root"), ("remote-roles", "administrator"), ("remote-session", "x")];
    let answer = verify_with(&AppBrowser::new(&portal).wiki, WIKI, "/assets/x", &spoofed).await;
    assert_eq!((answer.status, answer.header("remote-user")), (StatusCode::OK, ""));
    let answer = verify_with(&alice.wiki, WIKI, "/", &spoofed).await;
    assert_eq!((answer.header("remote-user"), answer.header("remote-roles")), ("alice", "user"));
}

#[tokio::test]
async fn rules_say_who_passes() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    portal.add_administrator("root").await;
    let (alice, stranger) = (AppBrowser::signed_in(&portal, "alice").await, AppBrowser::new(&portal));
    let root = AppBrowser::signed_in(&portal, "root").await;
    alice.enter(&alice.wiki, WIKI, "/").await;
    root.enter(&root.wiki, WIKI, "/").await;
    let status = async |who: &AppBrowser, target: &str, method: &str| {
        verify_with(&who.wiki, WIKI, target, &[("x-forwarded-method", method)]).await.status.as_u16()
    };
    for (target, method, nobody, user, administrator) in [
        ("/", "GET", 401, 200, 200),
        ("/assets/app.js?v=1", "GET", 200, 200, 200),
        ("/assets/app.js", "POST", 401, 200, 200),
        ("/admin/users", "GET", 401, 403, 200),
        ("/assets/../admin/users", "GET", 401, 403, 200),
        ("/assets/%2e%2e/admin", "GET", 401, 403, 200),
        ("/ADMIN;x=y/", "POST", 401, 403, 200),
        ("/%zz", "GET", 401, 403, 200),
    ] {
        let got = (
            status(&stranger, target, method).await,
            status(&alice, target, method).await,
            status(&root, target, method).await,
        );
        assert_eq!(got, (nobody, user, administrator), "{method} {target}");
    }
    let overridden = verify_with(&alice.wiki, WIKI, "/", &[("x-http-method-override", "DELETE")]).await;
    assert_eq!(overridden.code(), "", "a page that a person can read");
    assert_eq!(overridden.status, StatusCode::FORBIDDEN);
    for imitated in ["remote_user", "remote_roles", "x_forwarded-for", "x_real_ip", "x_original_url", "x-rewrite_url"] {
        let refused = verify_with(&alice.wiki, WIKI, "/assets/app.js", &[(imitated, "root")]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{imitated}");
    }
    let public = verify(&alice.wiki, WIKI, "/assets/app.js").await;
    assert_eq!(public.header("remote-user"), "alice", "known where she need not be");
    assert_eq!(verify(&stranger.wiki, WIKI, "/assets/app.js").await.header("authorization"), "");
}

#[tokio::test]
async fn a_person_is_redirected_and_a_script_gets_401() {
    let portal = Portal::with(APPS).await;
    let stranger = AppBrowser::new(&portal).wiki;
    let redirected = async |more: &[(&str, &str)]| {
        let mut extra = vec![
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/"),
            ("x-forwarded-method", "GET"),
        ];
        extra.extend_from_slice(more);
        let answer =
            stranger.moved(PROXY).send(Method::GET, &format!("{}?redirect", paths::VERIFY), None, &extra).await;
        (answer.status.as_u16(), !answer.header("location").is_empty())
    };
    for (more, expected) in [
        (vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], (302, true)),
        (vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], (401, false)),
        (vec![("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], (401, false)),
        (vec![("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], (401, false)),
        (vec![("sec-fetch-mode", "websocket")], (401, false)),
        (vec![("sec-fetch-mode", "cors"), ("accept", "text/html")], (401, false)),
        (vec![("sec-fetch-mode", "navigate"), ("x-forwarded-method", "POST")], (401, false)),
    ] {
        assert_eq!(redirected(&more).await, expected, "{more:?}");
    }
    let asked = verify_with(&stranger, WIKI, "/", &[("sec-fetch-mode", "cors")]).await;
    assert_eq!((asked.status, asked.header("location")), (StatusCode::UNAUTHORIZED, ""));
    assert_eq!(asked.header("www-authenticate"), "Bearer");
    // Browsers that send no `Sec-Fetch-Dest` and `Sec-Fetch-Mode`.
    let program = portal.program(PROXY);
    for (accept, leads) in [("text/html,*/*", true), ("application/json", false), ("*/*", false)] {
        let extra = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/"),
            ("x-forwarded-method", "GET"),
            ("accept", accept),
        ];
        let answer = program.send(Method::GET, paths::VERIFY, None, &extra).await;
        assert_eq!(!answer.header("location").is_empty(), leads, "{accept}");
    }
}

#[tokio::test]
async fn a_client_s_own_authorization_passes_where_a_rule_or_a_public_path_says_so() {
    const GIT: &str = "trusted_proxies = ['10.0.0.1']\n[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
         [[apps.rules]]\npath = '/hook'\nallow = 'public'\n\
         [[apps.rules]]\npath = '/api/*'\nallow = 'public'\nauthorization = 'app'\n\
         [[apps.rules]]\npath = '/raw/*'\nallow = 'signed-in'\nauthorization = 'app'\n";
    let portal = Portal::with(GIT).await;
    portal.add_user("alice").await;
    let (alice, stranger) = (AppBrowser::signed_in(&portal, "alice").await, AppBrowser::new(&portal));
    alice.enter(&alice.wiki, WIKI, "/").await;
    let authorization = async |who: &AppBrowser, target: &str, own: &str| {
        let more = if own.is_empty() { vec![] } else { vec![("authorization", own)] };
        let answer = verify_with(&who.wiki, WIKI, target, &more).await;
        let short = answer.header("authorization").get(..10).unwrap_or(answer.header("authorization")).to_owned();
        (answer.status.as_u16(), short, answer.header("remote-authorization").to_owned())
    };
    let is = |status: u16, own: &str, whose: &str| (status, own.to_owned(), whose.to_owned());
    for own in ["Basic YTpi", "token abcd", "Bearer abc", "Bearer a.b"] {
        assert_eq!(authorization(&stranger, "/hook", own).await, is(200, own, "app"), "{own}");
        assert_eq!(authorization(&stranger, "/api/x", own).await, is(200, own, "app"), "{own}");
        assert_eq!(authorization(&alice, "/api/x", own).await, is(200, own, "app"), "{own}");
        assert_eq!(authorization(&alice, "/raw/x", own).await, is(200, own, "app"), "{own}");
        assert_eq!(authorization(&alice, "/hook", own).await, is(200, "Bearer eyJ", "postern"), "{own}");
        assert_eq!(authorization(&alice, "/", own).await, is(200, "Bearer eyJ", "postern"), "{own}");
        assert_eq!(authorization(&stranger, "/raw/x", own).await.0, 401, "{own}");
    }
    assert_eq!(authorization(&stranger, "/hook", "").await, is(200, "", ""));
    assert_eq!(authorization(&alice, "/raw/x", "").await, is(200, "", ""), "ours is not set over it");
    let user = verify_with(&alice.wiki, WIKI, "/raw/x", &[("authorization", "Basic YTpi")]).await;
    assert_eq!(user.header("remote-user"), "alice");
    // The portal's own access token is not accepted as an app's.
    let access = format!("Bearer {}", alice.portal.cookie("access"));
    assert_eq!(authorization(&stranger, "/hook", &access).await, is(200, "", ""));
    assert_eq!(authorization(&alice, "/raw/x", &access).await, is(200, "", ""));
}

#[tokio::test]
async fn every_refusal_for_a_person_is_a_page_with_advice() {
    let portal = Portal::with(APPS).await;
    let stranger = AppBrowser::new(&portal).wiki;
    // A page in a frame: the portal's pages cannot be shown in one.
    for more in [[("sec-fetch-dest", "iframe")], [("sec-fetch-dest", "object")]] {
        let framed = verify_with(&stranger, WIKI, "/part?x=y", &more).await;
        assert_eq!((framed.status, framed.header("location")), (StatusCode::UNAUTHORIZED, ""));
        assert!(
            framed.text.contains("href=\"/.postern/start?next=/part%3Fx%3Dy\" target=\"_blank\""),
            "{}",
            framed.text
        );
        let policy = framed.header("content-security-policy");
        assert!(policy.ends_with("frame-ancestors 'self' https://wiki.example https://shop.test:8443"), "{policy}");
        assert_eq!(framed.header("www-authenticate"), "Bearer");
    }
    // A form whose session has ended.
    let posted = verify_with(&stranger, WIKI, "/edit", &[("x-forwarded-method", "POST")]).await;
    assert_eq!((posted.status, posted.header("location")), (StatusCode::UNAUTHORIZED, ""));
    assert!(posted.text.contains("This was not sent"), "{}", posted.text);
    // An address that is too long for a redirect.
    let far = verify(&stranger, WIKI, &format!("/{}", "a".repeat(8_000))).await;
    assert_eq!((far.status, far.header("location")), (StatusCode::UNAUTHORIZED, ""));
    assert!(far.text.contains("sessionStorage.setItem") && far.text.contains("<noscript>"), "{}", far.text);
    let kept = open_at_app(&stranger, WIKI, "/.postern/place?x").await;
    assert!(kept.status == StatusCode::OK && kept.text.contains("sessionStorage.getItem"), "{}", kept.text);
    // Bytes that no browser sends.
    for (target, next) in [("/caf\u{e9}", "/caf%25E9"), ("/search?q=\\d", "/search%3Fq%3D%255Cd")] {
        let raw: Vec<u8> = target.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        let answer = verify_raw(&portal, &raw).await;
        assert_eq!(answer.0, StatusCode::UNAUTHORIZED, "{target}");
        assert_eq!(answer.1, format!("https://wiki.example/.postern/start?next={next}"), "{target}");
    }
    // The answer on an unknown host is an error page.
    let lost = verify_with(&stranger, "https://other.example", "/", &[]).await;
    assert_eq!((lost.status, lost.code().as_str()), (StatusCode::NOT_FOUND, ""));
    assert!(lost.text.starts_with("<!DOCTYPE html>"), "{}", lost.text);
}

/// Sends a request for verification about a target of any bytes.
async fn verify_raw(portal: &Portal, target: &[u8]) -> (StatusCode, String) {
    use tower::ServiceExt;
    let mut request = http::Request::get(paths::VERIFY).body(axum::body::Body::empty()).unwrap();
    for (name, value) in [
        ("host", "localhost:3000"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "wiki.example:443"),
        ("x-forwarded-method", "GET"),
        ("sec-fetch-mode", "navigate"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request.headers_mut().insert("x-forwarded-uri", http::HeaderValue::from_bytes(target).unwrap());
    let peer = std::net::SocketAddr::new(PROXY.parse().unwrap(), 40_000);
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    let answer = portal.router.clone().oneshot(request).await.unwrap();
    let location = answer.headers().get("location").map_or("", |location| location.to_str().unwrap());
    (answer.status(), location.to_owned())
}

#[tokio::test]
async fn an_answer_for_the_client_never_holds_what_is_meant_for_the_app() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = AppBrowser::signed_in(&portal, "alice").await;
    let answered = async |who: &AppBrowser, target: &str, mode: &str| {
        let headers = [
            ("x-forwarded-proto", "wss"),
            ("x-forwarded-host", "WIKI.example.:443"),
            ("x-forwarded-uri", target),
            ("x-forwarded-method", "GET"),
            ("sec-fetch-mode", mode),
        ];
        who.wiki.moved(PROXY).send(Method::GET, &format!("{}?answer", paths::VERIFY), None, &headers).await
    };
    let led = answered(&alice, "/x", "navigate").await;
    assert_eq!(
        (led.status, led.header("location")),
        (StatusCode::FOUND, "https://wiki.example/.postern/start?next=/x")
    );
    assert_eq!(answered(&alice, "/x", "cors").await.code(), "no_session");
    alice.enter(&alice.wiki, WIKI, "/").await;
    for mode in ["navigate", "cors"] {
        let denied = answered(&alice, "/admin", mode).await;
        assert_eq!((denied.status, denied.header("authorization")), (StatusCode::FORBIDDEN, ""));
        let passes = answered(&alice, "/", mode).await;
        assert_eq!((passes.status, passes.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
        for name in ["authorization", "remote-user", "remote-session"] {
            assert_eq!(passes.header(name), "", "{name}");
        }
    }
}

#[tokio::test]
async fn a_program_passes_with_its_token_and_the_proof_of_its_key() {
    let portal = Portal::with(APPS).await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let issued = alice.prove_and_post(paths::APP_TOKENS, &json!({"audience": WIKI})).await.json();
    let token = issued["access_token"].as_str().unwrap().to_owned();
    let (program, key) = (portal.program("203.0.113.9"), alice.key.clone().unwrap());
    let verify = async |app: &str, scheme: &str, proof: &str| {
        let host = app.strip_prefix("https://").unwrap();
        let authorization = format!("{scheme} {token}");
        let extra = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", host),
            ("x-forwarded-uri", "/page?a=b"),
            ("x-forwarded-method", "POST"),
            ("authorization", &authorization),
            ("dpop", proof),
        ];
        program.moved(PROXY).send(Method::GET, paths::VERIFY, None, &extra).await
    };
    let ath = verify::dpop::token_hash(&token);
    let url = format!("{WIKI}/page");
    let first = verify(WIKI, "DPoP", &key.prove_more(&url, "", &json!({"ath": ath}))).await;
    assert_eq!((first.status, first.code().as_str()), (StatusCode::UNAUTHORIZED, "use_dpop_nonce"));
    assert_eq!(first.header("www-authenticate"), r#"DPoP algs="ES256", error="use_dpop_nonce""#);
    let nonce = first.header("dpop-nonce");
    let proof = key.prove_more(&url, nonce, &json!({"ath": ath}));
    let passed = verify(WIKI, "DPoP", &proof).await;
    assert_eq!((passed.status, passed.header("remote-user")), (StatusCode::OK, "alice"), "{}", passed.text);
    assert_eq!(verify(WIKI, "DPoP", &proof).await.code(), "use_dpop_nonce", "a proof serves once");
    let fresh = |url: &str, more: serde_json::Value| key.prove_more(url, nonce, &more);
    let stranger = crate::support::ClientKey::generate();
    for (what, app, scheme, proof) in [
        ("no ath", WIKI, "DPoP", fresh(&url, json!({}))),
        ("another token", WIKI, "DPoP", fresh(&url, json!({"ath": "x"}))),
        ("another page", WIKI, "DPoP", fresh(&format!("{WIKI}/other"), json!({"ath": ath}))),
        ("another method", WIKI, "DPoP", fresh(&url, json!({"ath": ath, "htm": "GET"}))),
        ("another key", WIKI, "DPoP", stranger.prove_more(&url, nonce, &json!({"ath": ath}))),
        ("another app", SHOP, "DPoP", fresh(&format!("{SHOP}/page"), json!({"ath": ath}))),
        ("as a bearer", WIKI, "Bearer", fresh(&url, json!({"ath": ath}))),
    ] {
        assert_eq!(verify(app, scheme, &proof).await.status, StatusCode::UNAUTHORIZED, "{what}");
    }
    alice.post(paths::LOGOUT, &json!({})).await;
    assert_eq!(verify(WIKI, "DPoP", &fresh(&url, json!({"ath": ath}))).await.code(), "no_session");
}
