use crate::fixture::Fixture;
use crate::make::{NOW, client_key, new_session, new_user, reserved, user};
use futures::future::join_all;
use store::users::{AddUserOutcome, NewUser};

pub(crate) async fn happens_once(fixture: Fixture) {
    let store = fixture.open().await;
    let racers = (0..50).map(|n| {
        let store = store.clone();
        let new = NewUser { only_first: true, ..new_user(&format!("first{n}")) };
        tokio::spawn(async move { store.add_user(&new).await.unwrap() })
    });
    let outcomes: Vec<_> = join_all(racers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|added| **added == AddUserOutcome::Added).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|added| **added == AddUserOutcome::NotFirst).count(), 49, "{outcomes:?}");
    assert_eq!(store.user_count().await.unwrap(), 1);
}

pub(crate) async fn counts_users_from_anywhere(fixture: Fixture) {
    let store = fixture.open().await;
    user(&*store, "ada").await;
    let late = NewUser { only_first: true, ..new_user("bob") };
    assert_eq!(store.add_user(&late).await.unwrap(), AddUserOutcome::NotFirst);
    assert_eq!(store.user_count().await.unwrap(), 1);
}

pub(crate) async fn signs_in_and_ends_the_attempt(fixture: Fixture) {
    let store = fixture.open().await;
    let mut new = new_user("ada");
    new.attempt = Some(reserved(&*store, client_key(7), NOW).await);
    new.session = Some(new_session(&new.id, NOW));
    assert_eq!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
    let sessions = store.sessions_of(&new.id, NOW).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].username, "ada");
    reserved(&*store, client_key(7), NOW).await;
}

pub(crate) async fn a_taken_name_ends_the_attempt_too(fixture: Fixture) {
    let store = fixture.open().await;
    user(&*store, "ada").await;
    for only_first in [false, true] {
        let mut new = NewUser { only_first, ..new_user("ada") };
        new.attempt = Some(reserved(&*store, client_key(7), NOW).await);
        new.session = Some(new_session(&new.id, NOW));
        assert_ne!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
        assert!(store.sessions_of(&new.id, NOW).await.unwrap().is_empty());
        let next = reserved(&*store, client_key(7), NOW).await;
        store.release(&next).await.unwrap();
    }
}
