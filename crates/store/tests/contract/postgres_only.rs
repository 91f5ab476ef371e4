//! What only a server with row locks can do.

use crate::fixture::{Engine, Fixture, run};
use crate::make::{HOUR, MINUTE, NOW, attempt, client_key, guess, refusal};
use domain::ban::Trigger;
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_run_again_and_the_caller_hears_nothing_of_it() {
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
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Completes the circle: PostgreSQL ends the one that has waited for a second, which is not this.
    other.execute(sqlx::query(lock).bind("invalid_credentials")).await.unwrap();
    other.execute("COMMIT").await.unwrap();
    let bans = refusing.await.unwrap().unwrap();
    assert_eq!(bans.len(), 2, "{bans:?}");
    assert_eq!(bans[1].until - bans[1].since, HOUR, "the second step of spray");
}
