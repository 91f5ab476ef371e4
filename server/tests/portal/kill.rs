//! The program ends between any two writes: everything that was answered is stored, and nothing is half-done.
//!
//! This test starts itself again as a child process that ends at its n-th changed row, for every n until a child
//! completes all steps. Then the parent checks the data that the child left.

use crate::support::{PASSWORD, Portal};
use http::StatusCode;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::audit::{AuditEntry, AuditEvent};
use wire::paths;

const FOLDER: &str = "POSTERN_TEST_KILL_FOLDER";
const AT: &str = "POSTERN_TEST_KILL_AT";
/// The words that the child prints on standard output after an answer has arrived.
const ANSWERED: [&str; 5] = ["wrong", "signed-in", "refreshed", "ended", "logged-out"];

#[test]
fn a_kill_between_any_two_writes_leaves_nothing_half_done() {
    let mut deaths = 0;
    for at in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::the_story_of_a_child", "--nocapture", "--include-ignored"])
            .env(FOLDER, folder.path())
            .env(AT, at.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let answered = ANSWERED.iter().filter(|word| said.contains(&format!("answered {word}"))).count();
        runtime().block_on(inspect(folder, answered, at));
        if output.status.success() {
            assert_eq!(answered, ANSWERED.len(), "{said}");
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 20, "only {deaths} writes");
}

/// The child process of the test above; it is no test of its own.
#[test]
#[ignore = "run by a_kill_between_any_two_writes_leaves_nothing_half_done"]
fn the_story_of_a_child() {
    let (Ok(folder), Ok(at)) = (std::env::var(FOLDER), std::env::var(AT)) else { return };
    runtime().block_on(story(Path::new(&folder), at.parse().unwrap()));
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

async fn story(folder: &Path, at: u32) {
    // The initial state: a user, written by a store that is not killed.
    let portal = Portal::in_folder(folder, None).await;
    portal.add_user("alice").await;
    portal.state.store.close().await;

    let portal = Portal::in_folder(folder, Some(killed_at(folder, at).await)).await;

    assert_eq!(portal.browser("203.0.113.9").login("alice", "wrong").await.status, StatusCode::UNAUTHORIZED);
    println!("answered wrong");
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    println!("answered signed-in");
    assert_eq!(alice.refresh().await.status, StatusCode::OK);
    println!("answered refreshed");
    let other = portal.browser("203.0.113.8").signed_in("alice").await;
    assert_eq!(other.send(http::Method::DELETE, paths::SESSIONS, None, &[]).await.status, StatusCode::NO_CONTENT);
    println!("answered ended");
    assert_eq!(other.post(paths::LOGOUT, &json!({})).await.status, StatusCode::NO_CONTENT);
    println!("answered logged-out");
}

/// Opens the database of a folder with a store that ends this process at its n-th changed row.
pub(crate) async fn killed_at(folder: &Path, at: u32) -> Arc<dyn store::Store> {
    let changes = Arc::new(AtomicU32::new(0));
    let writer = SqlitePoolOptions::new().after_connect(move |connection, _| {
        let changes = Arc::clone(&changes);
        Box::pin(async move {
            connection.lock_handle().await?.set_update_hook(move |_| {
                if changes.fetch_add(1, Ordering::SeqCst) + 1 == at {
                    std::process::abort();
                }
            });
            Ok(())
        })
    });
    let options = SqliteConnectOptions::new().filename(folder.join("postern.db"));
    store::open_sqlite(options, writer, store::StoreOptions::default()).await.unwrap()
}

/// Checks after a restart that each answer is stored, that each stored object is complete, and that the service works.
async fn inspect(folder: tempfile::TempDir, answered: usize, at: u32) {
    let portal = Portal::in_folder(folder.path(), None).await;
    let user = portal.store().user_by_key("alice").await.unwrap().expect("the stage").id;
    let count = |wanted: AuditEvent, ok: bool, trail: &[AuditEntry]| {
        trail
            .iter()
            .filter(|entry| entry.event == wanted && matches!(entry.outcome.as_str(), "ok" | "new_device") == ok)
            .count()
    };
    let trail = portal.store().audit_of(&user, 100).await.unwrap();
    let failures = count(AuditEvent::Login, false, &trail);
    let bans = portal.store().active_bans(portal.state.now()).await.unwrap().len();
    assert_eq!(failures, bans, "death {at}: a failure without its ban, or a ban without its failure");
    assert!(failures >= usize::from(answered >= 1), "death {at}: an answered failure is lost");

    let live = portal.store().sessions_of(&user, portal.state.now()).await.unwrap();
    let logins = count(AuditEvent::Login, true, &trail);
    let over = logins - live.len();
    let ends = count(AuditEvent::SessionEnded, true, &trail) + count(AuditEvent::Logout, true, &trail);
    assert_eq!(over, ends, "death {at}: every end has its row, every row its end");
    assert!(logins >= usize::from(answered >= 2), "death {at}: an answered login is lost");
    if answered >= 3 {
        let first = trail.iter().find(|entry| entry.outcome == "ok" && entry.address == "203.0.113.7").unwrap();
        let row = portal.store().session(first.session.as_ref().unwrap()).await.unwrap().unwrap();
        assert_eq!(row.life.generation, 1, "death {at}: an answered rotation is lost");
    }
    assert!(ends >= answered.saturating_sub(3), "death {at}: an answered end is lost");

    // A reservation of the killed process expires within ten seconds.
    portal.advance(10_000).await;
    for address in ["203.0.113.7", "203.0.113.9"] {
        assert_eq!(
            portal.browser(address).login("alice", PASSWORD).await.status,
            StatusCode::OK,
            "death {at} at {address}"
        );
    }
}
