//! Only this site's own pages may change anything, and refused requests do not count towards bans.

use crate::support::Portal;
use http::{Method, StatusCode};
use wire::paths;

const ORIGIN: &str = "http://localhost:3000";

#[tokio::test]
async fn a_table_of_requests_from_elsewhere() {
    let portal = Portal::start().await;
    let program = portal.program("203.0.113.7");
    let json = ("content-type", "application/json");
    let cookie = ("cookie", "a=b");
    let own = ("origin", ORIGIN);
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[json, own, ("sec-fetch-site", "same-origin"), cookie], true),
        (&[json, own, ("sec-fetch-site", "same-site"), cookie], false),
        (&[json, own, ("sec-fetch-site", "cross-site"), cookie], false),
        (&[json, own, ("sec-fetch-site", "none"), cookie], false),
        (&[json, ("sec-fetch-site", "same-origin"), cookie], false),
        (&[json, ("origin", "http://localhost:3001"), ("sec-fetch-site", "same-origin"), cookie], false),
        (&[json, ("origin", "null"), cookie], false),
        (&[json, ("origin", "http://localhost:3000.evil.example"), cookie], false),
        (&[json, own, cookie], true),
        (&[json, cookie], false),
        (&[json], true),
        (&[("content-type", "text/plain"), own, ("sec-fetch-site", "same-origin"), cookie], false),
        (&[("content-type", "application/x-www-form-urlencoded"), own, cookie], false),
        (&[own, ("sec-fetch-site", "same-origin"), cookie], false),
        (&[json, own, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate"), cookie], false),
    ];
    for (headers, allowed) in cases {
        for path in [paths::LOGIN, paths::SIGNUP, paths::REFRESH, paths::LOGOUT] {
            let answer = program.send(Method::POST, path, None, headers).await;
            assert_eq!(answer.code() != "cross_site", *allowed, "{path} {headers:?}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_hostile_page_cannot_ban_its_visitor() {
    let portal = Portal::start().await;
    let visitor = portal.program("203.0.113.7");
    let hostile = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("content-type", "text/plain")];
    for _ in 0..300 {
        for (method, path) in [(Method::GET, paths::CHALLENGE), (Method::POST, paths::LOGIN), (Method::GET, "/login")] {
            let answer = visitor.send(method, path, None, &hostile).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "cross_site"));
        }
    }
    assert_eq!(portal.browser("203.0.113.7").get(paths::CHALLENGE).await.status, StatusCode::OK);
    assert!(portal.state.defence.bans.is_empty());
}

#[tokio::test]
async fn another_name_leads_to_the_configured_origin() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    let answer = visitor.send(Method::GET, "/login?next=/dashboard", None, &[("host", "127.0.0.1:3000")]).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.header("location"), "http://localhost:3000/login?next=/dashboard");
}

#[tokio::test]
async fn a_default_port_and_an_address_in_brackets_are_the_same_name() {
    type Hosts = &'static [&'static str];
    let cases: [(&str, Hosts, Hosts); 4] = [
        (
            "https://portal.example",
            &["portal.example", "portal.example:443", "PORTAL.example:443"],
            &["portal.example:80", "portal.example:8443", "portal.example.:443"],
        ),
        ("http://portal.lan", &["portal.lan", "portal.lan:80"], &["portal.lan:443"]),
        ("https://[2001:db8::7]", &["[2001:db8::7]", "[2001:DB8:0::7]:443"], &["[2001:db8::8]", "2001:db8::7"]),
        ("https://[2001:db8::7]:8443", &["[2001:db8::7]:8443"], &["[2001:db8::7]", "[2001:db8::7]:443"]),
    ];
    for (url, own, other) in cases {
        let portal = Portal::with(&format!("public_url = '{url}'\nallow_insecure_http = true")).await;
        let visitor = portal.browser("203.0.113.7");
        for &host in own {
            let answer = visitor.send(Method::GET, "/login", None, &[("host", host)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{host} at {url}: {}", answer.text);
        }
        for &host in other {
            let answer = visitor.send(Method::GET, "/login", None, &[("host", host)]).await;
            assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{host} at {url}: {}", answer.text);
            assert_eq!(answer.header("location"), format!("{url}/login"), "{host}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    let large = "x".repeat(16 * 1024 + 1);
    let answers = [
        (200, visitor.get("/login").await),
        (200, visitor.get(paths::CHALLENGE).await),
        (303, visitor.get("/dashboard").await),
        (401, visitor.get(paths::SESSION).await),
        (404, visitor.get("/nowhere").await),
        (404, visitor.get("/api/nowhere").await),
        (404, visitor.get("/pkg/nothing.js").await),
        (405, visitor.get(paths::LOGIN).await),
        (413, visitor.send(Method::POST, paths::LOGIN, Some(large), &[]).await),
        (400, visitor.send(Method::POST, paths::LOGIN, Some("{".to_owned()), &[]).await),
        (200, visitor.get(paths::JWKS).await),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{status}");
        }
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{status}: {policy}"
        );
        for hole in ["unsafe-inline", "'unsafe-eval'", "strict-dynamic", "data:", "*"] {
            assert!(!policy.contains(hole), "{status}: {policy}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert!(!answer.header("cache-control").is_empty());
    }
}
