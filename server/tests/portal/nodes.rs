//! Changes of one node at another, whose clock is minutes away.

use crate::support::Portal;
use http::{Method, StatusCode};
use serde_json::json;
use server::jobs::follow;
use server::ops_listener::listener;
use std::net::{IpAddr, Ipv4Addr};
use store::audit::AuditEvent;
use store::oauth::StoredClient;
use wire::paths;

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn the_allowlist_is_followed_whatever_the_clocks_say() {
    for ahead in [-5 * MINUTE, 5 * MINUTE] {
        let portal = Portal::start().await;
        portal.add_administrator("root").await;
        let root = portal.browser("198.51.100.1").signed_in("root").await;
        let other = portal.another_ahead(ahead).await;
        let covers = || other.state.allowlist.covers("192.0.2.7".parse().unwrap(), other.state.now());
        let network = json!({"network": "192.0.2.0/24", "comment": "the office"});
        assert_eq!(root.post(paths::ALLOWLIST, &network).await.status, StatusCode::CREATED);
        assert!(!covers());
        follow(&other.state).await.unwrap();
        assert!(covers());
        let id = portal.store().allowlist().await.unwrap()[0].id.clone();
        let path = format!("{}/{id}", paths::ALLOWLIST);
        assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
        follow(&other.state).await.unwrap();
        assert!(!covers());
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_nodes_whose_clocks_are_minutes_away() {
    for ahead in [-5 * MINUTE, 5 * MINUTE] {
        let portal = Portal::start().await;
        portal.add_administrator("root").await;
        let root = portal.browser("198.51.100.1").signed_in("root").await;
        let other = portal.another_ahead(ahead).await;
        let kid = portal.state.keyring.signing(portal.state.now()).unwrap().public.kid.clone();
        assert!(other.state.keyring.verifying(&kid, other.state.now()).is_some());
        let path = format!("{}/{kid}", paths::SERVER_KEYS);
        let answer = root.send(Method::DELETE, &path, Some("{}".to_owned()), &[]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        follow(&other.state).await.unwrap();
        assert!(other.state.keyring.verifying(&kid, other.state.now()).is_none(), "{ahead}");
        assert_ne!(other.state.keyring.signing(other.state.now()).unwrap().public.kid, kid);
    }
}

#[tokio::test]
async fn a_client_is_known_to_other_nodes_and_forgotten_by_them() {
    let portal = Portal::start().await;
    let other = portal.another_ahead(-5 * MINUTE).await;
    let registration = json!({"id": "files", "redirect_uris": ["https://files.example/cb"]});
    let client = StoredClient {
        id: "files".to_owned(),
        registration: registration.to_string(),
        secrets: Vec::new(),
        source: "administrator".to_owned(),
        management_hash: None,
        expires_at: None,
        created_at: portal.clock_now(),
        changed_at: portal.clock_now(),
    };
    let added = portal.entry(AuditEvent::ClientAdded, "root");
    assert!(portal.store().add_client(&client, &added).await.unwrap());
    follow(&other.state).await.unwrap();
    assert!(other.state.clients.find("files").is_some());
    let removed = portal.entry(AuditEvent::ClientRemoved, "root");
    assert!(portal.store().remove_client("files", &removed, portal.clock_now()).await.unwrap());
    follow(&other.state).await.unwrap();
    assert!(other.state.clients.find("files").is_none());
}

#[tokio::test]
async fn a_session_that_another_node_extended_is_read_again_before_it_is_refused() {
    let portal = Portal::with("[session]\nidle = '1h'").await;
    portal.add_user("alice").await;
    let other = portal.another_ahead(0).await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    assert_eq!(alice.at(&other).get(paths::SESSION).await.status, StatusCode::OK);
    for _ in 0..3 {
        portal.clock.advance(50 * MINUTE);
        assert_eq!(alice.refresh().await.status, StatusCode::OK);
    }
    // The other node has followed the order of changes, and has read no rotation.
    other.clock.advance(150 * MINUTE);
    other.state.sync.read_at(other.state.now());
    follow(&other.state).await.unwrap();
    assert_eq!(alice.at(&other).get(paths::SESSION).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_clock_far_from_the_databases_is_not_ready_and_says_so() {
    let portal = Portal::start().await;
    let operator =
        crate::support::Visitor::new(listener::router(portal.state.clone()), IpAddr::from(Ipv4Addr::LOCALHOST));
    let (sync, now) = (&portal.state.sync, portal.state.now());
    sync.compare_clocks(Some(now - 30_000), now, now);
    assert_eq!(operator.get("/readyz").await.status, StatusCode::OK);
    sync.compare_clocks(Some(now + 30_001), now, now);
    let ready = operator.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let said = ready.json();
    assert_eq!((&said["clock"], &said["sync"]), (&json!("differs"), &json!("fresh")));
    assert!(operator.get("/metrics").await.text.contains("postern_clock_ahead_milliseconds -30001"));
}
