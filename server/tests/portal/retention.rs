//! Expired data is kept for its retention period and no longer.

use crate::support::{PASSWORD, Portal};
use server::jobs;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use store::bans::BanCursor;

const DAY: i64 = 24 * 60 * 60_000;

#[tokio::test]
async fn the_job_deletes_what_the_settings_say() {
    let portal = Portal::with("[retention]\naudit = '2d'\nbans = '1d'").await;
    let alice = portal.add_user("alice").await;
    assert_eq!(portal.browser("203.0.113.7").login("alice", "a wrong phrase").await.code(), "wrong_credentials");
    portal.browser("203.0.113.8").login("alice", PASSWORD).await;
    let left = async || {
        jobs::sweep(&portal.state).await;
        let bans = portal.store().bans_changed(&BanCursor::default(), 10).await.unwrap().bans.len();
        (portal.store().audit_of(&alice.as_str().into(), 10).await.unwrap().len(), bans)
    };
    let (rows, bans) = left().await;
    assert!(rows >= 2 && bans == 1, "{rows} {bans}");
    portal.advance(DAY + 60_000).await;
    assert_eq!(left().await, (rows, 0));
    portal.advance(DAY).await;
    assert_eq!(left().await, (0, 0));
}

#[tokio::test]
async fn the_row_of_a_named_lock_is_deleted_after_a_day() {
    let portal = Portal::start().await;
    let mut database = SqliteConnectOptions::new().filename(portal.database()).connect().await.unwrap();
    let taken = "INSERT INTO turns (name, taken_at) VALUES ('toll of a challenge', $1)";
    sqlx::query(taken).bind(portal.clock_now().as_millis()).execute(&mut database).await.unwrap();
    for left in [1, 0] {
        jobs::sweep(&portal.state).await;
        let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM turns WHERE name = 'toll of a challenge'");
        assert_eq!(count.fetch_one(&mut database).await.unwrap(), left);
        portal.advance(DAY + 60_000).await;
    }
}

#[tokio::test]
async fn an_expired_entry_of_the_allowlist_is_deleted_after_a_month() {
    let portal = Portal::start().await;
    let mut database = SqliteConnectOptions::new().filename(portal.database()).connect().await.unwrap();
    let add = "INSERT INTO allowlist (id, network, comment, made_by, created_at, expires_at)
        VALUES ('short', '192.0.2.0/24', '', 'x', $1, $1), ('long', '198.51.100.0/24', '', 'x', $1, NULL)";
    sqlx::query(add).bind(portal.clock_now().as_millis()).execute(&mut database).await.unwrap();
    for left in [2, 1] {
        jobs::sweep(&portal.state).await;
        let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM allowlist");
        assert_eq!(count.fetch_one(&mut database).await.unwrap(), left);
        portal.advance(31 * DAY).await;
    }
}
