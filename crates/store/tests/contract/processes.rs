//! Two stores on one database represent two processes: each has its own connections and writer.

use crate::fixture::Fixture;
use crate::make::{
    NOW, SECOND, all_changes, attempt, begin, client_key, entry, fresh, guess, lifting, new_user, reserved, rotation,
    session, user,
};
use futures::future::join_all;
use store::attempts::{BeginAttempt, BeginOutcome};
use store::audit::AuditEvent;
use store::users::AddUserOutcome;

pub(crate) async fn see_each_others_reservations_and_bans(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let first = reserved(&*one, client_key(1), NOW).await;
    assert_eq!(two.begin(&begin(client_key(1), NOW)).await.unwrap(), BeginOutcome::Busy);
    two.release(&first).await.unwrap();
    let bans = guess(&*two, client_key(1), "ada", NOW).await;
    assert_eq!(one.begin(&begin(client_key(1), NOW)).await.unwrap(), BeginOutcome::Banned(Box::new(bans[0].clone())));
    assert_eq!(one.active_bans(NOW).await.unwrap(), bans);
    assert_eq!(all_changes(&*one).await, bans);
    assert_eq!(one.lift(client_key(1), &lifting("root", NOW)).await.unwrap().len(), 1);
    reserved(&*two, client_key(1), NOW).await;
}

pub(crate) async fn see_each_others_sessions_and_users(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    assert_eq!(two.add_user(&new_user("ada")).await.unwrap(), AddUserOutcome::NameTaken);
    let id = session(&*two, &ada, NOW).await;
    assert!(one.rotate(&rotation(&id, 0, NOW)).await.unwrap());
    assert!(!two.rotate(&rotation(&id, 0, NOW)).await.unwrap());
    let then = NOW + SECOND;
    assert!(two.revoke(&ada, &id, &entry(AuditEvent::Logout, Some(&ada), then), then).await.unwrap());
    let changes = one.sessions_changed(then).await.unwrap();
    assert!(changes.len() == 1 && changes[0].revoked_at == Some(then), "{changes:?}");
}

pub(crate) async fn race_for_one_short_key(fixture: Fixture) {
    let stores = [fixture.open().await, fixture.open().await, fixture.open().await];
    for _ in 0..10 {
        let key = begin(client_key(0), NOW);
        let racers = (0..30).map(|n| {
            let begin = BeginAttempt { attempt: attempt(client_key(n)), ..key.clone() };
            let store = stores[n as usize % 3].clone();
            tokio::spawn(async move {
                let answer = store.begin(&begin).await.unwrap();
                store.release(&begin.attempt).await.unwrap();
                answer
            })
        });
        let begun: Vec<_> = join_all(racers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(begun.iter().filter(|begun| **begun == BeginOutcome::Reserved).count(), 1, "{begun:?}");
    }
}

pub(crate) async fn write_at_the_same_time(fixture: Fixture) {
    let stores = [fixture.open().await, fixture.open().await, fixture.open().await];
    let writes = (0..300).map(|n| {
        let store = stores[n % 3].clone();
        tokio::spawn(async move { store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await.unwrap() })
    });
    join_all(writes).await.into_iter().for_each(Result::unwrap);
    assert_eq!(stores[0].audit_of(&"ada".into(), 1000).await.unwrap().len(), 300);
}

pub(crate) async fn start_at_the_same_time(fixture: Fixture) {
    let stores = join_all((0..6).map(|_| fixture.open())).await;
    for store in &stores {
        user(&**store, &fresh("user")).await;
    }
    assert_eq!(stores[0].user_count().await.unwrap(), 6);
}
