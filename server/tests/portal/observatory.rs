//! The score of each page by the published rules of MDN's HTTP Observatory (version 5): A+ with every bonus.

use crate::support::{Answer, Portal};
use http::Method;

/// Half a year in seconds, the minimum that the rules ask for.
const LONG_SECONDS: u64 = 15_768_000;

/// Returns the directives of a content security policy with their sources.
fn policy(answer: &Answer) -> Vec<(String, Vec<String>)> {
    let directive = |text: &str| {
        let mut words = text.split_whitespace().map(str::to_owned);
        Some((words.next()?, words.collect()))
    };
    answer.header("content-security-policy").split(';').filter_map(directive).collect()
}

/// Returns the points above or below 100.
fn modifiers(answer: &Answer) -> Vec<(&'static str, i32)> {
    let policy = policy(answer);
    let sources =
        |name: &str| policy.iter().find(|(directive, _)| directive == name).map(|(_, sources)| sources.clone());
    let only = |name: &str, source: &str| sources(name) == Some(vec![source.to_owned()]);
    let unsafe_sources = policy.iter().any(|(_, sources)| {
        sources.iter().any(|source| {
            source.starts_with("'unsafe-") || ["*", "http:", "https:", "data:"].contains(&source.as_str())
        })
    });
    let age =
        answer.header("strict-transport-security").split(';').find_map(|part| part.trim().strip_prefix("max-age="));
    let long = age.and_then(|age| age.parse().ok()).is_some_and(|age: u64| age >= LONG_SECONDS);
    let private = ["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"];
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    let safe = |line: &&str| ["Secure", "HttpOnly", "SameSite="].iter().all(|flag| line.contains(flag));
    let csp = match (answer.header("content-security-policy").is_empty(), unsafe_sources) {
        (true, _) => -25,
        (false, true) => -20,
        (false, false) if only("default-src", "'none'") => 10,
        (false, false) => 5,
    };
    vec![
        ("content-security-policy", csp),
        ("x-frame-options", if ["'none'", "'self'"].iter().any(|who| only("frame-ancestors", who)) { 5 } else { -20 }),
        ("referrer-policy", if private.contains(&answer.header("referrer-policy")) { 5 } else { -5 }),
        ("x-content-type-options", if answer.header("x-content-type-options") == "nosniff" { 0 } else { -5 }),
        ("strict-transport-security", if long { 0 } else { -20 }),
        (
            "cross-origin-resource-policy",
            if answer.header("cross-origin-resource-policy") == "same-origin" { 10 } else { 0 },
        ),
        (
            "cross-origin-resource-sharing",
            if answer.header("access-control-allow-origin").is_empty() { 0 } else { -50 },
        ),
        ("cookies", if cookies.iter().all(safe) { 0 } else { -20 }),
        (
            "subresource-integrity",
            if answer.text.contains("src=\"http") || answer.text.contains("src=\"//") { -50 } else { 0 },
        ),
    ]
}

#[tokio::test]
async fn every_page_has_the_best_score() {
    let portal = Portal::with("public_url = 'https://auth.example.com'").await;
    let visitor = portal.program("203.0.113.7");
    let headers = [("host", "auth.example.com"), ("accept", "text/html,*/*;q=0.8")];
    for path in ["/login", "/signup", "/resume", "/reset", "/nothing", "/robots.txt"] {
        for method in [Method::GET, Method::OPTIONS] {
            let origin = [("origin", "https://http-observatory.security.mozilla.org")];
            let answer = visitor.send(method, path, None, &[&headers[..], &origin].concat()).await;
            let modifiers = modifiers(&answer);
            let score = 100 + modifiers.iter().map(|(_, points)| points).sum::<i32>();
            assert_eq!(score, 130, "{path}: {modifiers:?} {:?}", answer.headers);
        }
    }
}
