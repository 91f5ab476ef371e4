//! Expired data is kept for its retention period and no longer.

use crate::support::{PASSWORD, Portal};
use server::jobs;
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
        (portal.store().audit_of(&alice, 10).await.unwrap().len(), bans)
    };
    let (rows, bans) = left().await;
    assert!(rows >= 2 && bans == 1, "{rows} {bans}");
    portal.advance(DAY + 60_000).await;
    assert_eq!(left().await, (rows, 0));
    portal.advance(DAY).await;
    assert_eq!(left().await, (0, 0));
}
