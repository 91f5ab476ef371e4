//! A database that cannot grow: the answer names the reason, nothing is half-done, and service resumes with free space.
//!
//! SQLite has the same error (`SQLITE_FULL`) for a full disk and for its own limit of pages, which a test may set:
//! deleting rows elsewhere in the file then frees space.

use crate::support::{PASSWORD, Portal};
use http::StatusCode;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};
use std::path::Path;
use wire::paths;

async fn beside(folder: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(folder.join("postern.db"));
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    connection.execute(sqlx::raw_sql(sql)).await.unwrap();
    connection.close().await.unwrap();
}

/// Opens a portal on an existing folder, whose database file cannot grow any more.
async fn full(folder: &Path) -> Portal {
    let writer = SqlitePoolOptions::new().after_connect(|connection, _| {
        // A maximum below the current number of pages means the current number.
        Box::pin(async move { connection.execute("PRAGMA max_page_count = 1").await.map(drop) })
    });
    let options = SqliteConnectOptions::new().filename(folder.join("postern.db"));
    let store = store::open_sqlite(options, writer, store::StoreOptions::default()).await.unwrap();
    Portal::in_folder(folder, Some(store)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_typed_503_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Portal::in_folder(folder.path(), None).await;
    let user = stage.add_user("alice").await;
    stage.state.store.close().await;
    beside(folder.path(), "CREATE TABLE filler (x BLOB); INSERT INTO filler VALUES (zeroblob(1000000))").await;

    let portal = full(folder.path()).await;
    let first = portal.browser("203.0.113.1").signed_in("alice").await;
    let mut signed_in = 1;
    let refused = loop {
        let answer = portal.browser(&format!("198.51.{signed_in}.7")).login("alice", PASSWORD).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        signed_in += 1;
        assert!(signed_in < 250, "the file grows");
    };
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.header("retry-after"), "1");
    assert!(!refused.text.to_lowercase().contains("full"), "the cause is for the log: {}", refused.text);
    assert_eq!(refused.headers.get("set-cookie"), None, "nobody is half signed in");
    assert!(portal.state.defence.bans.is_empty(), "nobody is to blame");
    let trail = portal.store().audit_of(&user.as_str().into(), 1000).await.unwrap();
    let logins = trail.iter().filter(|entry| entry.session.is_some()).count();
    assert_eq!(logins, signed_in, "what was answered is written, and nothing else");
    assert_eq!(portal.store().sessions_of(&user.as_str().into(), portal.state.now()).await.unwrap().len(), signed_in);
    assert_eq!(first.get(paths::SESSION).await.status, StatusCode::OK, "whoever is in stays in");
    assert_eq!(first.get("/dashboard").await.status, StatusCode::OK);

    beside(folder.path(), "DELETE FROM filler").await;
    // A reservation that could not be released expires.
    portal.advance(10_000).await;
    for _ in 0..3 {
        let answer = portal.browser(&format!("198.51.{signed_in}.7")).login("alice", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    assert_eq!(first.refresh().await.status, StatusCode::OK);
}
