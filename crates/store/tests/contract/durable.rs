//! Writes while something else fails.

use crate::fixture::Fixture;
use crate::make::{NOW, entry, new_user, user};
use futures::future::join_all;
use std::time::Duration;
use store::audit::{AuditEntry, AuditEvent};
use store::{Error, Store};

pub(crate) async fn a_failing_write_leaves_the_others_alone(fixture: Fixture) {
    let store = fixture.open().await;
    let taken = entry(AuditEvent::Login, Some(&"ada".into()), NOW);
    store.append(&taken).await.unwrap();
    let writes = (0..200).map(|n| {
        let store = store.clone();
        // Every third id exists already. An id that fails in the last statement of a new user must undo the user.
        let audit = if n % 3 == 0 { taken.clone() } else { entry(AuditEvent::Login, Some(&"ada".into()), NOW) };
        tokio::spawn(async move {
            if n % 2 == 0 {
                store.append(&audit).await.is_ok()
            } else {
                let mut new = new_user(&format!("user{n}"));
                new.audit = audit;
                store.add_user(&new).await.is_ok()
            }
        })
    });
    let done: Vec<_> = join_all(writes).await.into_iter().map(Result::unwrap).collect();
    for (n, done) in done.iter().enumerate() {
        assert_eq!(*done, n % 3 != 0, "write {n}");
    }
    assert_eq!(store.audit_of(&"ada".into(), 1000).await.unwrap().len(), 1 + 133);
    assert_eq!(store.user_count().await.unwrap(), (0..200).filter(|n| n % 3 != 0 && n % 2 == 1).count() as u64);
}

async fn appears(store: &dyn Store, entry: &AuditEntry) -> bool {
    // Half a minute, which only a fault exceeds.
    for _ in 0..3000 {
        if store.audit_of(&"ada".into(), 1000).await.unwrap().contains(entry) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

pub(crate) async fn a_caller_that_goes_away_changes_nothing(fixture: Fixture) {
    let store = fixture.open().await;
    for _ in 0..20 {
        let audit = entry(AuditEvent::Login, Some(&"ada".into()), NOW);
        // Polled once, and dropped.
        tokio::select! {
            biased;
            done = store.append(&audit) => done.unwrap(),
            () = std::future::ready(()) => {}
        }
        assert!(appears(&*store, &audit).await);
    }
}

pub(crate) async fn a_closed_store_says_so(fixture: Fixture) {
    let store = fixture.open().await;
    let id = user(&*store, "ada").await;
    store.close().await;
    assert!(store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await.is_err());
    assert!(store.user_by_id(&id).await.is_err());
    assert!(store.ping().await.is_err());
    store.close().await;
    assert_eq!(fixture.open().await.user_count().await.unwrap(), 1);
}

pub(crate) async fn closing_waits_for_what_is_under_way(fixture: Fixture) {
    let store = fixture.open().await;
    let writes: Vec<_> = (0..200)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(5)).await;
    store.close().await;
    let mut written = 0;
    for write in join_all(writes).await {
        match write.unwrap() {
            Ok(()) => written += 1,
            Err(Error::Closed | Error::Database(sqlx::Error::PoolClosed)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    // Answered writes are stored, and refused ones are not.
    assert_eq!(fixture.open().await.audit_of(&"ada".into(), 1000).await.unwrap().len(), written);
}

pub(crate) async fn answers_a_ping(fixture: Fixture) {
    fixture.open().await.ping().await.unwrap();
}
