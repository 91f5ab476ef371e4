//! The operator listener: health and metrics.

use crate::support::{Portal, Program, Visitor, output_text, postern};
use http::StatusCode;
use server::ops_listener::listener;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use wire::paths;

fn operator(portal: &Portal) -> Visitor {
    Visitor::new(listener::router(portal.state.clone()), IpAddr::from(Ipv4Addr::LOCALHOST))
}

fn value(text: &str, name: &str) -> f64 {
    let line =
        text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("{name}\n{text}"));
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn ready_while_the_store_answers_and_news_arrive() {
    let portal = Portal::start().await;
    let operator = operator(&portal);
    assert_eq!(operator.get("/healthz").await.text, "alive\n");
    let ready = operator.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["status"].as_str()), (StatusCode::OK, Some("ready")));
    portal.clock.advance(20_000);
    let stale = operator.get("/readyz").await;
    assert_eq!(stale.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((stale.json()["store"].as_str(), stale.json()["sync"].as_str()), (Some("answers"), Some("stale")));
    portal.advance(0).await;
    assert_eq!(operator.get("/readyz").await.status, StatusCode::OK);
    portal.state.store.close().await;
    let closed = operator.get("/readyz").await;
    assert_eq!(closed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(closed.json()["store"], "does not answer");
    assert_eq!(operator.get("/healthz").await.status, StatusCode::OK, "a restart would not help");
}

#[tokio::test]
async fn everything_that_happens_is_counted_and_nobody_is_named() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let (operator, alice) = (operator(&portal), portal.browser("203.0.113.7"));
    assert_eq!(alice.login("alice", "a wrong phrase").await.code(), "wrong_credentials");
    portal.advance(3_000).await;
    let alice = alice.signed_in("alice").await;
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    for _ in 0..3 {
        assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
    }
    let answer = operator.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let text = answer.text;
    for (name, expected) in [
        ("postern_logins_total{outcome=\"ok\"}", 1.0),
        ("postern_logins_total{outcome=\"wrong_credentials\"}", 1.0),
        ("postern_refreshes_total{outcome=\"ok\"}", 1.0),
        ("postern_refusals_total{code=\"wrong_credentials\"}", 1.0),
        ("postern_bans_total{trigger=\"invalid_credentials\"}", 1.0),
        ("postern_bans_total{trigger=\"flood\"}", 0.0),
        ("postern_bans_held", 1.0),
        ("postern_hash_places_taken", 0.0),
        ("postern_hash_seconds_count", 3.0),
        // The refresh was sent with the token before, which identifies the session.
        ("postern_token_cache_misses_total", 2.0),
        ("postern_token_cache_hits_total", 3.0),
        ("postern_session_cache_hits_total", 3.0),
        ("process_start_time_seconds", 1_800_000_000.0),
        (concat!("postern_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ] {
        assert!((value(&text, name) - expected).abs() < f64::EPSILON, "{name}\n{text}");
    }
    assert!(value(&text, "postern_hash_places") > value(&text, "postern_hash_threads"));
    assert!(value(&text, "postern_database_connections") >= 1.0);
    assert!(text.ends_with("# EOF\n"));
    for secret in ["alice", "203.0.113", &alice.cookie("access"), &alice.cookie("refresh")] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}

#[tokio::test]
async fn the_program_answers_on_both_addresses_and_says_when_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    assert_eq!(program.operator().get("/readyz").await.status, StatusCode::OK);
    assert_eq!(program.browser().get("/metrics").await.status, StatusCode::NOT_FOUND, "not for everybody");
    program.end();

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let setting = format!("operator.listen={}", taken.local_addr().unwrap());
    let refused = postern(folder.path(), &["--set", "listen=127.0.0.1:0", "--set", &setting], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(output_text(&refused).contains("Set operator.listen to a free address"), "{}", output_text(&refused));
    let remote = postern(folder.path(), &["--set", "operator.listen=0.0.0.0:0"], "");
    assert_eq!(remote.status.code(), Some(2));
    assert!(output_text(&remote).contains("operator.allow_remote"), "{}", output_text(&remote));
}
