//! A clock that jumps: nobody is banned for it, and signed-in people stay signed in.

use crate::support::{PASSWORD, Portal, Visitor};
use http::StatusCode;
use wire::paths;

const HOUR: i64 = 60 * 60_000;
const DAY: i64 = 24 * HOUR;

/// Requests the session, refreshes if it is refused, and requests it again, as the browser's code does.
async fn goes_on(visitor: &Visitor) {
    if visitor.get(paths::SESSION).await.status == StatusCode::UNAUTHORIZED {
        assert_eq!(visitor.refresh().await.status, StatusCode::OK);
    }
    assert_eq!(visitor.get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn sessions_outlive_jumps_both_ways() {
    for jump in [-DAY, -HOUR, -60_000, HOUR, DAY] {
        let portal = Portal::start().await;
        portal.add_user("alice").await;
        let alice = portal.browser("203.0.113.7").signed_in("alice").await;
        portal.advance(jump).await;
        goes_on(&alice).await;
        portal.advance(-jump).await;
        goes_on(&alice).await;
    }
}

#[tokio::test]
async fn nobody_is_banned_because_the_clock_went_back() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    // Half of a minute's limit, then the same number again with the clock an hour earlier.
    for _ in 0..2 {
        for _ in 0..7 {
            let visitor = portal.browser("203.0.113.7");
            assert_eq!(visitor.login("alice", PASSWORD).await.status, StatusCode::OK);
        }
        portal.advance(-HOUR).await;
    }
    assert!(portal.state.defence.bans.is_empty());
}

#[tokio::test]
async fn a_challenge_from_before_a_jump_is_asked_for_again_and_is_no_offence() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    for jump in [-HOUR, HOUR] {
        let alice = portal.browser("203.0.113.7");
        let sealed = alice.sealed("alice", PASSWORD).await;
        portal.advance(jump).await;
        assert_eq!(alice.send_login(&sealed).await.code(), "short_key_expired");
        assert_eq!(alice.login("alice", PASSWORD).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn changes_of_another_node_after_a_jump_are_read_at_once() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let other = portal.another().await;
    portal.advance(-HOUR).await;
    assert_eq!(other.browser("203.0.113.9").login("alice", "a wrong phrase").await.code(), "wrong_credentials");
    portal.advance(0).await;
    assert_eq!(portal.browser("203.0.113.9").get(paths::CHALLENGE).await.code(), "banned");
    portal.clock.advance(-HOUR);
    assert!(portal.state.sync.is_stale(portal.state.moment()), "the age of the caches is unknown");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_hide_that_a_node_follows_nobody() {
    let portal = Portal::start().await;
    portal.advance(0).await;
    assert!(!portal.state.sync.is_stale(portal.state.moment()));
    portal.clock.advance(HOUR);
    portal.clock.set(-HOUR);
    assert!(portal.state.sync.is_stale(portal.state.moment()), "an hour passed since the last answer");
}

#[tokio::test]
async fn clocks_half_a_minute_apart_cost_nobody_anything_in_either_preset() {
    for preset in ["default", "strict"] {
        let portal = Portal::with(&format!("ban.preset = '{preset}'")).await;
        portal.add_user("alice").await;
        // The clock steps back, or the answer is sent to a node whose clock is behind; and the reverse.
        for step in [-20, -1_000, -30_000, 149_999] {
            let alice = portal.browser("203.0.113.7");
            let sealed = alice.sealed("alice", PASSWORD).await;
            portal.clock.advance(step);
            assert_eq!(alice.send_login(&sealed).await.status, StatusCode::OK, "{preset}, {step} ms");
        }
        let back = portal.browser("203.0.113.7");
        let sealed = back.sealed("alice", PASSWORD).await;
        portal.clock.advance(-HOUR);
        assert_eq!(back.send_login(&sealed).await.code(), "short_key_expired", "{preset}");
        assert!(portal.state.defence.bans.is_empty(), "{preset}: our own clock is nobody's offence");
    }
}

#[tokio::test]
async fn a_nonce_of_a_node_whose_clock_is_ahead_is_taken() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    portal.clock.advance(30_000);
    let nonce = alice.nonce().await;
    portal.clock.advance(-30_000);
    let proof = alice.key.as_ref().unwrap().prove(&format!("{}{}", crate::support::ORIGIN, paths::REFRESH), &nonce);
    let answer = alice.send(http::Method::POST, paths::REFRESH, Some("{}".to_owned()), &[("dpop", &proof)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}
