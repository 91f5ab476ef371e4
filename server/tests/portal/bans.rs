//! Reasons for which an address is banned.

use crate::support::{PASSWORD, Portal, forged_login};
use domain::ban::{Scope, Trigger};
use domain::client_key::ClientKey;
use futures::future::join_all;
use http::StatusCode;
use serde_json::json;
use std::net::Ipv4Addr;
use std::time::Duration;
use store::audit::{AuditEntry, AuditEvent};
use store::bans::{Ban, BanLift};
use wire::paths;

#[tokio::test]
async fn a_forged_short_key_closes_everything_and_climbs() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    for minutes in [15_i64, 60, 24 * 60, 7 * 24 * 60] {
        let answer = visitor.post(paths::LOGIN, &forged_login()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "short_key_forged"));
        let seconds: i64 = answer.header("retry-after").parse().unwrap();
        assert!((minutes * 60..=minutes * 66).contains(&seconds), "{seconds} s for {minutes} min");
        for path in ["/login", "/dashboard", paths::CHALLENGE, paths::SESSION, "/nowhere", paths::OPENAPI] {
            let closed = visitor.get(path).await;
            assert_eq!((closed.status, closed.code().as_str()), (StatusCode::FORBIDDEN, "banned"), "{path}");
            assert_eq!(closed.json()["incident"].as_str().unwrap().len(), 7);
        }
        assert_eq!(portal.browser("203.0.113.8").get("/login").await.status, StatusCode::OK);
        portal.advance(seconds * 1000).await;
    }
}

#[tokio::test]
async fn the_banned_page_is_for_people() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    visitor.post(paths::LOGIN, &forged_login()).await;
    let page = visitor.send(http::Method::GET, "/login", None, &[("accept", "text/html,*/*")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let incident = visitor.get("/login").await.json()["incident"].as_str().unwrap().to_owned();
    assert!(page.text.contains(&incident), "{}", page.text);
    assert!(page.header("content-security-policy").contains("'nonce-"));
}

#[tokio::test]
async fn wrong_passwords_climb_from_seconds_and_success_forgives() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    for seconds in [2, 5, 15] {
        let answer = visitor.login("alice", "wrong").await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (StatusCode::UNAUTHORIZED, seconds.to_string().as_str())
        );
        assert_eq!(visitor.get(paths::CHALLENGE).await.code(), "banned");
        assert_eq!(visitor.get("/login").await.status, StatusCode::OK);
        portal.advance(seconds * 1000).await;
    }
    assert_eq!(visitor.login("alice", PASSWORD).await.status, StatusCode::OK);
    let fresh = portal.browser("203.0.113.7");
    assert_eq!(fresh.login("alice", "wrong").await.header("retry-after"), "2");
}

#[tokio::test]
async fn five_names_that_do_not_succeed_are_a_spray() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    for name in ["ann", "bob", "cid", "dan"] {
        assert_eq!(visitor.login(name, "Spring2026!").await.code(), "wrong_credentials");
        portal.advance(2_000).await;
    }
    assert_eq!(visitor.login("eve", "Spring2026!").await.code(), "banned");
    assert_eq!(visitor.get("/login").await.code(), "banned");
}

#[tokio::test]
async fn a_ban_and_its_lifting_outlive_a_restart_and_reach_other_nodes() {
    let portal = Portal::start().await;
    let other = portal.another().await;
    let visitor = portal.browser("203.0.113.7");
    visitor.post(paths::LOGIN, &forged_login()).await;
    assert_eq!(visitor.at(&portal.another().await).get("/login").await.code(), "banned", "after a restart");
    other.advance(1_000).await;
    assert_eq!(visitor.at(&other).get("/login").await.code(), "banned", "on another node");
    let now = portal.state.now();
    let audit = portal.entry(AuditEvent::BanLifted, "nobody");
    let lifting = BanLift { by: "a test".to_owned(), reason: "A test.".to_owned(), audit, now };
    portal.store().lift("203.0.113.7".parse().unwrap(), &lifting).await.unwrap();
    portal.advance(1_000).await;
    other.advance(0).await;
    assert_eq!(visitor.get("/login").await.status, StatusCode::OK);
    assert_eq!(visitor.at(&other).get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn thirty_sign_ins_a_minute_may_fail_and_more_must_wait() {
    let portal = Portal::with("[ban.limits]\nrefused_per_minute = 10").await;
    let visitor = portal.browser("203.0.113.7");
    let nonsense = json!({"encrypted_username_password": 7});
    for _ in 0..30 {
        assert_eq!(visitor.post(paths::LOGIN, &nonsense).await.status, StatusCode::BAD_REQUEST);
    }
    for _ in 0..10 {
        let wait = visitor.post(paths::LOGIN, &nonsense).await;
        assert_eq!((wait.status, wait.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "busy"), "{}", wait.text);
        assert!(wait.header("retry-after").parse::<u32>().unwrap() >= 2);
    }
    assert!(portal.state.defence.bans.is_empty(), "waiting is no ban");
    assert_eq!(visitor.post(paths::LOGIN, &nonsense).await.code(), "banned", "and still it goes on");
    assert_eq!(visitor.get("/login").await.code(), "banned");
    assert_eq!(portal.browser("203.0.113.8").get(paths::CHALLENGE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn with_the_strict_preset_thirty_one_sign_in_requests_a_minute_are_a_flood() {
    let portal = Portal::with("ban.preset = 'strict'").await;
    let visitor = portal.browser("203.0.113.7");
    for _ in 0..30 {
        assert_eq!(visitor.get(paths::CHALLENGE).await.status, StatusCode::OK);
    }
    assert_eq!(visitor.get(paths::CHALLENGE).await.code(), "banned");
    assert_eq!(visitor.get("/login").await.code(), "banned");
    assert_eq!(portal.browser("203.0.113.8").get(paths::CHALLENGE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_strict_preset_closes_everything_for_a_day_at_once() {
    let portal = Portal::with("ban.preset = 'strict'").await;
    portal.add_user("alice").await;
    let day = |answer: &crate::support::Answer| {
        (86_400..=95_040).contains(&answer.header("retry-after").parse::<i64>().unwrap())
    };

    let wrong = portal.browser("203.0.113.1");
    let answer = wrong.login("alice", "wrong").await;
    assert!(day(&answer), "{}", answer.text);
    assert_eq!(wrong.get("/login").await.code(), "banned");

    let late = portal.browser("203.0.113.2");
    let sealed = late.sealed("alice", PASSWORD).await;
    portal.advance(150_000).await;
    assert!(day(&late.send_login(&sealed).await));
    assert_eq!(late.get("/login").await.code(), "banned");
}

#[tokio::test]
async fn loopback_is_never_closed_for_more_than_a_minute() {
    let portal = Portal::start().await;
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.9"] {
        let answer = portal.browser(address).post(paths::LOGIN, &forged_login()).await;
        assert_eq!(answer.header("retry-after"), "60", "{address}");
    }
}

#[tokio::test]
async fn one_subscribers_ipv6_addresses_are_one() {
    let portal = Portal::start().await;
    portal.browser("2001:db8:1:2::1").post(paths::LOGIN, &forged_login()).await;
    assert_eq!(portal.browser("2001:db8:1:2:ffff::9").get("/login").await.code(), "banned");
    assert_eq!(portal.browser("2001:db8:1:3::1").get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_closed_address_still_gets_the_files_of_the_page_that_says_so() {
    let portal = Portal::start().await;
    let visitor = portal.browser("203.0.113.7");
    visitor.post(paths::LOGIN, &forged_login()).await;
    assert_ne!(visitor.get("/favicon.svg").await.code(), "banned");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_strict_preset_eleven_at_once_are_a_flood() {
    let portal = Portal::with("[ban]\npreset = 'strict'\n[ban.limits]\nsign_in_at_once = 1").await;
    portal.add_user("alice").await;
    let visitor = portal.browser("203.0.113.7");
    let sealed = visitor.sealed("alice", PASSWORD).await;
    // The client key's lock is taken: the first login waits for it while the second arrives.
    let turn = portal.state.defence.attempt_locks.lock("203.0.113.7".parse().unwrap()).await;
    let first = {
        let visitor = visitor.clone();
        tokio::spawn(async move { visitor.send_login(&sealed).await })
    };
    while portal.state.defence.rate_limiter.waiting("203.0.113.7".parse().unwrap()) == 0 {
        tokio::task::yield_now().await;
    }
    // One poll counts the second. The flood waits for the same lock before it bans.
    let mut second = Box::pin(visitor.get(paths::CHALLENGE));
    assert!(futures::poll!(&mut second).is_pending());
    drop(turn);
    assert_eq!(second.await.code(), "banned");
    first.await.unwrap();
}

#[tokio::test]
async fn bans_apply_before_all_of_them_are_loaded() {
    let portal = Portal::start().await;
    let now = portal.state.now();
    // More than are loaded before the first answer.
    let bans: Vec<_> = (0..5_001_u32)
        .map(|number| Ban {
            id: format!("{number:026}").into(),
            incident: format!("{number:07}"),
            client_key: ClientKey::V4(Ipv4Addr::from_bits(0x0A00_0000 + number)),
            scope: Scope::Everything,
            trigger: Trigger::Flood,
            reason: String::new(),
            evidence: String::new(),
            since: now,
            until: now + 60_000,
            made_by: "engine".to_owned(),
            lifted_at: None,
            lifted_by: None,
            lift_reason: None,
        })
        .collect();
    let audit = portal.entry(AuditEvent::BanMade, "nobody");
    let audits: Vec<_> = bans.iter().map(|ban| AuditEntry { id: ban.id.to_string(), ..audit.clone() }).collect();
    for outcome in join_all(bans.iter().zip(&audits).map(|(ban, audit)| portal.store().ban(ban, audit))).await {
        outcome.unwrap();
    }
    let restarted = portal.another().await;
    let (banned, free) = (portal.browser("10.0.0.7"), portal.browser("10.1.0.7"));
    for is_loaded in [false, true] {
        assert_eq!(restarted.state.defence.bans.is_loaded(), is_loaded);
        assert_eq!(banned.at(&restarted).get("/login").await.code(), "banned");
        assert_eq!(free.at(&restarted).get("/login").await.status, StatusCode::OK);
        restarted.state.defence.bans.load(&*restarted.state.store, now, Duration::from_mins(1)).await.unwrap();
    }
    assert_eq!(restarted.state.defence.bans.in_force(now), 5_001);
}
