//! The operator listener: health and metrics.

use crate::second_factor::Enrolled;
use crate::support::{Authenticator, ORIGIN, PASSWORD, Portal, Program, Visitor, output_text, postern};
use crate::{passkeys, second_factor, signup, terminal_login};
use http::{Method, StatusCode};
use serde_json::json;
use server::ops_listener::listener;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use wire::envelope::EnvelopeKind;
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
        // Each request looks its token up once: the first check of the new token is the second miss.
        ("postern_token_cache_hits_total", 2.0),
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
async fn every_way_in_is_counted_once_with_its_outcome() {
    const NAME: &str = "postern_logins_total{outcome=\"";
    let portal = Portal::start().await;
    let operator = operator(&portal);
    let counted = async || {
        let text = operator.get("/metrics").await.text;
        let lines = text.lines().filter_map(|line| line.strip_prefix(NAME)?.split_once("\"} "));
        lines.map(|(outcome, count)| (outcome.to_owned(), count.parse::<u32>().unwrap())).collect::<BTreeMap<_, _>>()
    };
    let mut expected = BTreeMap::from([("ok".to_owned(), 0)]);
    let mut check = async |what: &str, outcomes: &[&str]| {
        for outcome in outcomes {
            *expected.entry((*outcome).to_owned()).or_default() += 1;
        }
        assert_eq!(counted().await, expected, "{what}");
    };
    check("nobody has come", &[]).await;

    let root = portal.browser("203.0.113.1");
    let content = json!({"username": "root", "password": PASSWORD, "code": signup::code(&portal)});
    assert_eq!(signup::sign_up(&root, &content).await.status, StatusCode::OK);
    check("set-up", &["ok"]).await;
    let made = root.post(paths::INVITATIONS, &json!({"role": "user", "hours": 1})).await.json();
    let code = made["link"].as_str().unwrap().split_once("#code=").unwrap().1;
    let invited = json!({"username": "alice", "password": PASSWORD, "code": code});
    assert_eq!(signup::sign_up(&portal.browser("203.0.113.2"), &invited).await.status, StatusCode::OK);
    check("invitation", &["ok"]).await;
    assert_eq!(signup::sign_up(&portal.browser("203.0.113.3"), &invited).await.code(), "signup_closed");
    check("a used invitation", &["signup_closed"]).await;

    let alice = portal.browser("203.0.113.4").signed_in("alice").await;
    check("password", &["ok"]).await;
    assert_eq!(portal.browser("203.0.113.5").login("alice", "a wrong phrase").await.code(), "wrong_credentials");
    check("a wrong password", &["wrong_credentials"]).await;

    let bob = Enrolled::add(&portal, "bob", &[]).await;
    let browser = portal.browser("203.0.113.6");
    let pending = browser.login("bob", PASSWORD).await.json()["pending"].clone();
    check("a password without its factor", &["second_factor_required"]).await;
    let wrong = second_factor::finish(&browser, &pending, &bob.wrong_code(&portal)).await;
    assert_eq!(wrong.code(), "wrong_code");
    check("a wrong code", &["wrong_code"]).await;
    assert_eq!(second_factor::finish(&browser, &pending, &bob.code(&portal, 0)).await.status, StatusCode::OK);
    check("second factor", &["ok"]).await;

    let (_, _, passkey) = passkeys::person(&portal, "carol").await;
    check("the password before a passkey was added", &["ok"]).await;
    let browser = portal.browser("203.0.113.8");
    assert_eq!(passkeys::sign_in(&browser, &passkey).await.status, StatusCode::OK);
    check("passkey", &["ok"]).await;
    assert_eq!(passkeys::sign_in(&browser, &Authenticator::new()).await.code(), "passkey_refused");
    check("an unknown passkey", &["passkey_refused"]).await;

    let program = portal.bound_program("203.0.113.9");
    let challenge = program.challenge().await;
    let content = json!({"username": "alice", "password": PASSWORD});
    let (body, _) = program.seal(&challenge, EnvelopeKind::Login, &content);
    let url = format!("{ORIGIN}{}", paths::AUTHENTICATE);
    let proof = program.key.as_ref().unwrap().prove(&url, &challenge.short_key);
    let answer = program.send(Method::POST, paths::AUTHENTICATE, Some(body), &[("dpop", &proof)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    check("/api/authenticate", &["ok"]).await;
    let refused = program.send(Method::POST, paths::AUTHENTICATE, Some("{}".to_owned()), &[]).await;
    assert_eq!(refused.code(), "bad_request");
    check("not an encrypted message", &["bad_request"]).await;

    let [first, again] = terminal_login::sign_in_twice(&portal, &alice).await;
    assert_eq!((first.status, again.code().as_str()), (StatusCode::OK, "no_session"));
    check("terminal", &["ok", "no_session"]).await;
    assert_eq!(terminal_login::sign_in_as_device(&portal, &alice).await.status, StatusCode::OK);
    check("device", &["ok"]).await;

    // These belong to a session that has begun.
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    assert_eq!(alice.confirm().await.status, StatusCode::NO_CONTENT);
    check("no way in", &[]).await;
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
