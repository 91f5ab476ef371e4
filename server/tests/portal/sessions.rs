//! `/api/session`, `/api/sessions`, `/api/logout`

use crate::support::Portal;
use http::{Method, StatusCode};
use serde_json::json;
use wire::paths;

#[tokio::test]
async fn logout_revokes_both_tokens_and_clears_the_cookies() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let mut before = alice.thief(&portal, "203.0.113.7");
    before.key.clone_from(&alice.key);
    assert_eq!(alice.post(paths::LOGOUT, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!((alice.cookie("access"), alice.cookie("refresh")), (String::new(), String::new()));
    assert_eq!(before.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(before.refresh().await.code(), "session_ended");
    assert_eq!(alice.post(paths::LOGOUT, &json!({})).await.status, StatusCode::NO_CONTENT, "twice is no error");
}

#[tokio::test]
async fn logout_works_with_a_token_that_has_run_out() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let mut before = alice.thief(&portal, "203.0.113.7");
    before.key.clone_from(&alice.key);
    portal.advance(3_600_000).await;
    alice.post(paths::LOGOUT, &json!({})).await;
    assert_eq!(before.refresh().await.code(), "session_ended");
}

#[tokio::test]
async fn devices_are_listed_and_ended_by_their_owner_only() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    portal.add_user("bob").await;
    let laptop = portal.browser("203.0.113.7").signed_in("alice").await;
    let phone = portal.browser("198.51.100.9").signed_in("alice").await;
    let bob = portal.browser("192.0.2.1").signed_in("bob").await;

    let devices = laptop.get(paths::SESSIONS).await.json()["devices"].clone();
    assert_eq!(devices.as_array().unwrap().len(), 2);
    assert_eq!((&devices[0]["current"], &devices[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(devices[1]["address"], "198.51.100.0/24");
    let phone_path = format!("{}/{}", paths::SESSIONS, devices[1]["id"].as_str().unwrap());

    let stranger = bob.send(Method::DELETE, &phone_path, None, &[]).await;
    assert_eq!(stranger.code(), "not_found");
    assert_eq!(phone.get(paths::SESSION).await.status, StatusCode::OK);

    assert_eq!(laptop.send(Method::DELETE, &phone_path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(phone.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(phone.refresh().await.code(), "session_ended");
    assert_eq!(laptop.send(Method::DELETE, &phone_path, None, &[]).await.code(), "not_found");
}

#[tokio::test]
async fn all_others_end_and_this_one_stays() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let laptop = portal.browser("203.0.113.7").signed_in("alice").await;
    let phone = portal.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(laptop.send(Method::DELETE, paths::SESSIONS, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(phone.get(paths::SESSION).await.code(), "no_session");
    assert_eq!(laptop.get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn pages_redirect_strangers_to_sign_in_and_reveal_nothing() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let stranger = portal.browser("203.0.113.7");
    for (path, to) in [
        ("/dashboard", "/login?next=/dashboard"),
        ("/dashboard/devices", "/login?next=/dashboard/devices"),
        ("/dashboard?a=b&c=%2F", "/login?next=/dashboard%3Fa%3Db%26c%3D%252F"),
    ] {
        let answer = stranger.get(path).await;
        assert_eq!((answer.status, answer.header("location"), answer.text.as_str()), (StatusCode::SEE_OTHER, to, ""));
    }
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    assert!(alice.get("/dashboard").await.text.contains("alice"));
    assert_eq!(alice.get("/login?next=/dashboard/devices").await.header("location"), "/dashboard/devices");
    assert_eq!(alice.get("/login?next=//evil.example").await.header("location"), "/dashboard");
    portal.advance(3_600_000).await;
    assert_eq!(alice.get("/dashboard").await.header("location"), "/resume?next=/dashboard");
    alice.set_cookie("access", "garbage");
    assert_eq!(alice.get("/dashboard").await.header("location"), "/resume?next=/dashboard");
    assert_eq!(alice.get("/resume?next=/dashboard").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_end_reaches_a_node_whose_clock_is_minutes_ahead() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let other = portal.another_ahead(4 * 60_000).await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    // The other node has the session in memory.
    assert_eq!(alice.at(&other).get(paths::SESSION).await.status, StatusCode::OK);
    assert_eq!(alice.post(paths::LOGOUT, &json!({})).await.status, StatusCode::NO_CONTENT);
    server::jobs::follow(&other.state).await.unwrap();
    assert_eq!(alice.at(&other).bare().get(paths::SESSION).await.status, StatusCode::UNAUTHORIZED);
    let sessions = &other.state.sessions;
    assert_eq!(sessions.ended().read().marks().count(), 1, "verifiers hear of it too");
}

#[tokio::test]
async fn memory_that_is_too_old_lets_nobody_in() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    // The clock moves, but the changes of the store are not read.
    portal.clock.advance(15_001);
    let answer = alice.get(paths::SESSION).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    portal.advance(0).await;
    assert_eq!(alice.get(paths::SESSION).await.status, StatusCode::OK);
}
