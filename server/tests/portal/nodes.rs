//! Changes of one node, seen by another whose clock is minutes away.

use crate::support::Portal;
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde_json::json;
use server::jobs::{self, follow, read_again};
use server::ops_listener::listener;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteOperation, SqlitePoolOptions};
use sqlx::{ConnectOptions, Executor};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use store::audit::AuditEvent;
use store::changes::LastChanges;
use store::oauth::StoredClient;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use wire::paths;

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn the_allowlist_is_followed_with_any_clocks() {
    for ahead in [-5 * MINUTE, 5 * MINUTE] {
        let portal = Portal::start().await;
        let root = portal.administrator().await;
        let other = portal.another_ahead(ahead).await;
        let covers = || other.state.defence.allowlist.covers("192.0.2.7".parse().unwrap(), other.state.now());
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
        let root = portal.administrator().await;
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
    assert!(other.state.clients.find("files", other.clock_now()).is_some());
    let removed = portal.entry(AuditEvent::ClientRemoved, "root");
    assert!(portal.store().remove_client("files", &removed, portal.clock_now()).await.unwrap());
    follow(&other.state).await.unwrap();
    assert!(other.state.clients.find("files", other.clock_now()).is_none());
}

#[tokio::test]
async fn a_ban_that_was_lifted_before_a_failover_ends_at_a_node_that_missed_it() {
    let portal = Portal::start().await;
    let root = portal.administrator().await;
    let ban = json!({"address": "192.0.2.7", "scope": "everything", "for": "2h", "reason": "It scans our ports."});
    let banned = root.post(paths::BANS, &ban).await;
    assert_eq!(banned.status, StatusCode::CREATED, "{}", banned.text);
    let other = portal.another_ahead(0).await;
    let is_open = async || other.browser("192.0.2.7").get(paths::LOGIN_PAGE).await.status == StatusCode::OK;
    assert!(!is_open().await);
    let lift = json!({"reason": "a mistake"});
    let id = banned.json()["id"].as_str().unwrap().to_owned();
    let lifted = root.send(Method::DELETE, &format!("{}/{id}", paths::BANS), Some(lift.to_string()), &[]).await;
    assert_eq!(lifted.status, StatusCode::NO_CONTENT, "{}", lifted.text);
    // The other database has the same numbers, and another history.
    let last = portal.store().last_changes().await.unwrap();
    other.state.sync.followed_at(other.state.moment(), LastChanges { timeline: last.timeline + 1, ..last });
    other.clock.advance(20_000);
    follow(&other.state).await.unwrap();
    other.state.sync.read_at(other.state.now());
    assert!(!other.state.sync.is_stale(other.state.moment()));
    assert!(is_open().await);
}

#[tokio::test]
async fn changes_of_an_older_version_are_read_within_a_minute() {
    let portal = Portal::start().await;
    // The keys of the first start have numbers.
    follow(&portal.state).await.unwrap();
    let kid = portal.state.keyring.signing(portal.state.now()).unwrap().public.kid.clone();
    let beside = SqliteConnectOptions::new().filename(portal.database());
    let mut beside: SqliteConnection = beside.connect().await.unwrap();
    for sql in [
        "INSERT INTO allowlist (id, network, comment, made_by, created_at) VALUES ('a', '192.0.2.0/24', '', 'root', 1)",
        "INSERT INTO oauth_clients (id, registration, secrets, created_at, changed_at)
            VALUES ('files', '{\"id\": \"files\", \"redirect_uris\": [\"https://files.example/cb\"]}', '', 1, 1)",
        "UPDATE keys SET revoked_at = 1 WHERE kind = 'signing'",
    ] {
        beside.execute(sql).await.unwrap();
    }
    follow(&portal.state).await.unwrap();
    let (state, now) = (&portal.state, portal.state.now());
    assert!(state.clients.find("files", now).is_none() && state.keyring.verifying(&kid, now).is_some());
    read_again(&portal.state).await.unwrap();
    assert!(state.defence.allowlist.covers("192.0.2.7".parse().unwrap(), now));
    assert!(state.clients.find("files", now).is_some());
    assert!(state.keyring.verifying(&kid, now).is_none());
}

/// A portal whose deletions of bans wait for the second channel, after they have told the first one.
async fn slow_to_delete(folder: &Path) -> (Portal, UnboundedReceiver<()>, Sender<()>) {
    let (began, begun) = unbounded_channel();
    let (resume, going) = channel();
    let going = Arc::new(Mutex::new(going));
    let writer = SqlitePoolOptions::new().after_connect(move |connection, _| {
        let (began, going) = (began.clone(), Arc::clone(&going));
        Box::pin(async move {
            connection.lock_handle().await?.set_update_hook(move |change| {
                if change.table == "bans" && change.operation == SqliteOperation::Delete {
                    let _ = began.send(());
                    let _ = going.lock().recv();
                }
            });
            Ok(())
        })
    });
    let options = SqliteConnectOptions::new().filename(folder.join("postern.db"));
    let store = store::open_sqlite(options, writer, store::StoreOptions::default()).await.unwrap();
    (Portal::in_folder(folder, Some(store)).await, begun, resume)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_deletes_for_long_stays_ready() {
    let folder = tempfile::tempdir().unwrap();
    let (portal, mut begun, resume) = slow_to_delete(folder.path()).await;
    let stranger = portal.browser("203.0.113.7");
    portal.add_user("alice").await;
    assert_eq!(stranger.login("alice", "a wrong phrase").await.code(), "wrong_credentials");
    portal.clock.advance(400 * 24 * 60 * MINUTE);
    let (stop, stopped) = watch::channel(false);
    let jobs = tokio::spawn(jobs::run(portal.state.clone(), stopped));
    begun.recv().await.unwrap();
    // Deleting takes longer than caches may be old.
    portal.clock.advance(MINUTE);
    let deadline = Instant::now() + Duration::from_mins(1);
    while portal.state.sync.is_stale(portal.state.moment()) {
        assert!(Instant::now() < deadline, "the node is stale while it deletes");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let operator =
        crate::support::Visitor::new(listener::router(portal.state.clone()), IpAddr::from(Ipv4Addr::LOCALHOST));
    let ready = operator.get("/readyz").await;
    drop(resume);
    stop.send(true).unwrap();
    jobs.await.unwrap();
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.text);
}

#[tokio::test]
async fn a_step_of_a_sweep_that_fails_does_not_stop_the_others() {
    let portal = Portal::start().await;
    let alice = portal.add_user("alice").await;
    let beside = SqliteConnectOptions::new().filename(portal.database());
    let mut beside: SqliteConnection = beside.connect().await.unwrap();
    beside.execute("ALTER TABLE reservations RENAME TO gone").await.unwrap();
    portal.clock.advance(400 * 24 * 60 * MINUTE);
    assert!(!portal.store().audit_of(&alice.as_str().into(), 10).await.unwrap().is_empty());
    jobs::sweep(&portal.state).await;
    assert!(portal.store().audit_of(&alice.as_str().into(), 10).await.unwrap().is_empty());
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
    // The other node has followed the log of changes, but has read no rotation.
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
