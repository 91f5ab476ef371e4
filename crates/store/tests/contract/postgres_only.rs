//! Cases for servers with row locks.

use crate::fixture::{Engine, Fixture, run};
use crate::make::{HOUR, MINUTE, NOW, attempt, client_key, entry, fresh, guess, refusal};
use domain::ban::Trigger;
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;
use store::allowlist::AllowedNetwork;
use store::audit::AuditEvent;

/// Waits until a statement of another connection waits for a lock of this one's transaction.
async fn until_waited_for(connection: &mut PgConnection) {
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *connection).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_retried_unseen_by_the_caller() {
    run(Engine::Postgres, deadlock).await;
}

async fn deadlock(fixture: Fixture) {
    let store = fixture.open().await;
    for n in 0..5 {
        guess(&*store, client_key(1), &format!("name{n}"), NOW + n * MINUTE).await;
    }
    let lock = "SELECT step FROM ladders WHERE cause = $1 FOR UPDATE";
    let mut other = PgConnection::connect(&fixture.url).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute(sqlx::query(lock).bind("spray")).await.unwrap();
    // Holds its own ladder, and waits for the one of spray.
    let refusing = tokio::spawn(async move {
        let refusal = refusal(attempt(client_key(1)), Trigger::InvalidCredentials, Some("name0"), NOW + 5 * MINUTE);
        store.refuse(&refusal).await
    });
    until_waited_for(&mut other).await;
    // Completes a deadlock: PostgreSQL aborts the transaction that has waited for a second, which is not this one.
    other.execute(sqlx::query(lock).bind("invalid_credentials")).await.unwrap();
    other.execute("COMMIT").await.unwrap();
    let bans = refusing.await.unwrap().unwrap();
    assert_eq!(bans.len(), 2, "{bans:?}");
    assert_eq!(bans[1].until - bans[1].since, HOUR, "the second step of spray");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_not_passed_by_a_transaction_that_commits_late() {
    run(Engine::Postgres, late_commit).await;
}

fn allowed(network: &str) -> AllowedNetwork {
    AllowedNetwork {
        id: fresh("allowed"),
        network: network.parse().unwrap(),
        comment: String::new(),
        expires_at: None,
        made_by: "root".to_owned(),
        created_at: NOW,
    }
}

async fn late_commit(fixture: Fixture) {
    let store = fixture.open().await;
    store.allow(&allowed("192.0.2.0/24"), &entry(AuditEvent::AllowAdded, None, NOW)).await.unwrap();
    // Another node has taken the next number, and its commit is on the way.
    let mut other = PgConnection::connect(&fixture.url).await.unwrap();
    other.execute("BEGIN; UPDATE sequences SET value = value + 1 WHERE name = 'allowlist'").await.unwrap();
    let later = tokio::spawn({
        let store = store.clone();
        let (one, audit) = (allowed("198.51.100.0/24"), entry(AuditEvent::AllowAdded, None, NOW));
        async move { store.allow(&one, &audit).await }
    });
    until_waited_for(&mut other).await;
    assert_eq!(store.last_changes().await.unwrap().allowlist, 1, "and nobody has seen a higher one");
    assert!(!later.is_finished());
    other.execute("COMMIT").await.unwrap();
    later.await.unwrap().unwrap();
    let last = store.last_changes().await.unwrap();
    assert_eq!(last.allowlist, 3);
    let clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let now: i64 = sqlx::query_scalar(clock).fetch_one(&mut other).await.unwrap();
    assert!((0..600_000).contains(&(now - last.clock.unwrap().as_millis())), "{last:?}");
    assert_eq!(last.timeline, 1, "the first history of a new cluster");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_to_a_node_that_waits() {
    run(Engine::Postgres, told).await;
}

async fn told(fixture: Fixture) {
    let (node, other) = (fixture.open().await, fixture.open().await);
    // Returns once the node listens.
    node.wait_for_change().await;
    other.allow(&allowed("192.0.2.0/24"), &entry(AuditEvent::AllowAdded, None, NOW)).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(30), node.wait_for_change()).await;
    assert!(told.is_ok(), "a change of another node");
    assert_eq!(node.last_changes().await.unwrap().allowlist, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_an_older_version_stops_following_once_a_newer_one_has_changed_the_tables() {
    run(Engine::Postgres, newer_schema).await;
}

async fn newer_schema(fixture: Fixture) {
    let store = fixture.open().await;
    store.last_changes().await.unwrap();
    let mut newer = PgConnection::connect(&fixture.url).await.unwrap();
    let last = "UPDATE _sqlx_migrations SET version = version + 1
        WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    newer.execute(last).await.unwrap();
    assert!(matches!(store.last_changes().await, Err(store::Error::NewerSchema)));
    assert!(store::open(&fixture.url, store::StoreOptions::default()).await.is_err(), "nor does it start");
}
