use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, NOW, SECOND, entry, fresh, new_user, user};
use domain::UnixMs;
use domain::ids::UserId;
use domain::user_key::{RetiredState, UserKeyState, UserKeyVersion};
use futures::future::join_all;
use std::sync::Arc;
use store::Store;
use store::audit::AuditEvent;
use store::user_keys::{NewUserKey, SealedKey, UserKey};
use store::users::{AddUserOutcome, DeleteUser};

const UNTIL: UnixMs = UnixMs::from_millis(NOW.as_millis() + HOUR);

fn next(user: &UserId, number: u32, retired_state: RetiredState) -> NewUserKey {
    NewUserKey {
        user: user.to_owned(),
        number,
        key: SealedKey(fresh("key")),
        made_by: None,
        retired_state,
        audit: Some(entry(AuditEvent::UserKeyReplaced, Some(user), NOW)),
        now: NOW,
    }
}

fn rotation(user: &UserId, number: u32) -> NewUserKey {
    next(user, number, RetiredState::Overlap { until: UNTIL })
}

async fn keys(store: &dyn Store, user: &UserId) -> Vec<UserKey> {
    store.user_keys(user, 100).await.unwrap()
}

fn states(keys: &[UserKey], now: UnixMs) -> Vec<UserKeyState> {
    keys.iter().map(|key| key.version.state(now)).collect()
}

pub(crate) async fn the_first_is_made_with_the_account(fixture: Fixture) {
    let store = fixture.open().await;
    let new = new_user("ada");
    assert_eq!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
    let first = UserKey { user: new.id.clone(), version: UserKeyVersion::first(NOW), key: new.key, made_by: None };
    assert_eq!(keys(&*store, &new.id).await, std::slice::from_ref(&first));
    assert_eq!(store.user_key(&new.id, 1).await.unwrap(), Some(first));
    assert_eq!(store.user_key(&new.id, 2).await.unwrap(), None);
    let taken = new_user("ADA");
    assert_eq!(store.add_user(&taken).await.unwrap(), AddUserOutcome::NameTaken);
    assert!(keys(&*store, &taken.id).await.is_empty());
}

pub(crate) async fn the_next_takes_over_and_the_one_before_serves_on(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let second = NewUserKey { made_by: Some("root".into()), ..rotation(&ada, 2) };
    assert!(store.add_user_key(&second).await.unwrap());
    let both = keys(&*store, &ada).await;
    assert_eq!(both.iter().map(|key| key.version.number).collect::<Vec<_>>(), [2, 1], "newest first");
    assert_eq!((both[0].key.clone(), both[0].made_by.as_ref().map(UserId::as_str)), (second.key, Some("root")));
    assert_eq!(both[1].version.ends_at, Some(UNTIL));
    assert_eq!(states(&both, UNTIL - 1), [UserKeyState::Current, UserKeyState::Overlap]);
    assert_eq!(states(&both, UNTIL), [UserKeyState::Current, UserKeyState::Ended]);
    assert_eq!(store.user_keys(&ada, 1).await.unwrap(), both[..1]);
    assert_eq!(states(&keys(&*store, &bob).await, NOW), [UserKeyState::Current], "nobody else's changed");
    assert_eq!(store.audit_of(&ada, 10).await.unwrap().len(), 2);
}

pub(crate) async fn revoking_erases(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    assert!(store.add_user_key(&rotation(&ada, 2)).await.unwrap());
    let audit = || entry(AuditEvent::UserKeyRevoked, Some(&ada), NOW);
    assert!(!store.revoke_user_key(&ada, 2, &audit(), NOW).await.unwrap(), "one must be in use");
    assert!(!store.revoke_user_key(&ada, 1, &audit(), UNTIL).await.unwrap(), "over already");
    assert!(!store.revoke_user_key(&ada, 3, &audit(), NOW).await.unwrap());
    assert!(store.revoke_user_key(&ada, 1, &audit(), NOW).await.unwrap());
    assert!(!store.revoke_user_key(&ada, 1, &audit(), NOW).await.unwrap(), "once");
    assert!(store.add_user_key(&next(&ada, 3, RetiredState::Revoked)).await.unwrap());
    let all = keys(&*store, &ada).await;
    assert_eq!(states(&all, NOW), [UserKeyState::Current, UserKeyState::Revoked, UserKeyState::Revoked]);
    assert!(!all[0].key.0.is_empty() && all[1].key.0.is_empty() && all[2].key.0.is_empty());
    assert_eq!(all[1].version.revoked_at, Some(NOW));
}

pub(crate) async fn only_the_next_version_is_taken(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    for wrong in [1, 3, 0] {
        assert!(!store.add_user_key(&rotation(&ada, wrong)).await.unwrap(), "{wrong}");
    }
    assert!(!store.add_user_key(&rotation(&"nobody".into(), 1)).await.unwrap());
    assert_eq!(keys(&*store, &ada).await.len(), 1);
    assert_eq!(store.audit_of(&ada, 10).await.unwrap().len(), 1);
}

/// Reads and tries until its version is taken.
async fn replace(store: Arc<dyn Store>, user: UserId, retired_state: RetiredState) {
    loop {
        let newest = store.user_keys(&user, 1).await.unwrap().remove(0).version.number;
        if store.add_user_key(&next(&user, newest + 1, retired_state)).await.unwrap() {
            return;
        }
    }
}

pub(crate) async fn fifty_rotations_at_once_leave_no_hole_and_one_in_use(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let tasks =
        (0..50).map(|_| tokio::spawn(replace(store.clone(), ada.clone(), RetiredState::Overlap { until: UNTIL })));
    for done in join_all(tasks).await {
        done.unwrap();
    }
    let all = keys(&*store, &ada).await;
    assert_eq!(all.iter().map(|key| key.version.number).collect::<Vec<_>>(), (1..=51).rev().collect::<Vec<_>>());
    assert_eq!(states(&all, NOW)[0], UserKeyState::Current);
    assert!(states(&all, NOW)[1..].iter().all(|state| *state == UserKeyState::Overlap));
    let written = store.audit_of(&ada, 100).await.unwrap();
    assert_eq!(written.iter().filter(|entry| entry.event == AuditEvent::UserKeyReplaced).count(), 50);
}

pub(crate) async fn fifty_rotations_and_revocations_on_two_nodes_leave_one_in_use(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let tasks = (0..50).map(|n| {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        let retired_state = if n % 3 == 0 { RetiredState::Revoked } else { RetiredState::Overlap { until: UNTIL } };
        tokio::spawn(replace(store, ada.clone(), retired_state))
    });
    for done in join_all(tasks).await {
        done.unwrap();
    }
    let all = states(&keys(&*two, &ada).await, NOW);
    let count = |state| all.iter().filter(|found| **found == state).count();
    assert_eq!((count(UserKeyState::Current), count(UserKeyState::Overlap), count(UserKeyState::Revoked)), (1, 33, 17));
    assert_eq!(all[0], UserKeyState::Current);
}

/// Turns an account into one from before user keys existed.
async fn forget(fixture: &Fixture, user: &UserId) {
    for sql in ["DELETE FROM user_keys WHERE user_id = $1", "UPDATE users SET key_version = 0 WHERE id = $1"] {
        if fixture.url.starts_with("sqlite:") {
            let pool = sqlx::SqlitePool::connect(&fixture.url).await.unwrap();
            sqlx::query(sql).bind(user.as_str()).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = sqlx::PgPool::connect(&fixture.url).await.unwrap();
            sqlx::query(sql).bind(user.as_str()).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

pub(crate) async fn an_account_without_one_gets_its_first(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    forget(&fixture, &ada).await;
    let tasks = (0..20).map(|_| {
        let (store, first) = (store.clone(), NewUserKey { audit: None, ..rotation(&ada, 1) });
        tokio::spawn(async move { store.add_user_key(&first).await.unwrap() })
    });
    let made = join_all(tasks).await.into_iter().filter(|made| *made.as_ref().unwrap()).count();
    assert_eq!(made, 1);
    assert_eq!(states(&keys(&*store, &ada).await, NOW), [UserKeyState::Current]);
    assert_eq!(store.audit_of(&ada, 10).await.unwrap().len(), 1);
}

fn deletion(user: &UserId) -> DeleteUser {
    let audit = entry(AuditEvent::UserDeleted, Some(user), NOW);
    DeleteUser { attempt: None, user: user.to_owned(), account: "ada".to_owned(), audit, now: NOW }
}

pub(crate) async fn go_with_the_account(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    assert!(store.add_user_key(&rotation(&ada, 2)).await.unwrap());
    assert!(store.delete_user(&deletion(&ada)).await.unwrap().is_done());
    assert!(keys(&*store, &ada).await.is_empty());
    assert!(!store.add_user_key(&rotation(&ada, 3)).await.unwrap());
    assert_eq!(keys(&*store, &bob).await.len(), 1);
    assert_eq!(store.sweep_users(NOW + DAY).await.unwrap(), 1, "nothing holds the row");
}

pub(crate) async fn nobody_rotates_past_a_deletion(fixture: Fixture) {
    let store = fixture.open().await;
    for round in 0..10 {
        let ada = user(&*store, &format!("ada{round}")).await;
        let rotations = (0..8).map(|_| {
            let (store, rotation) = (store.clone(), rotation(&ada, 2));
            tokio::spawn(async move { store.add_user_key(&rotation).await.unwrap() })
        });
        let rotations: Vec<_> = rotations.collect();
        assert!(store.delete_user(&deletion(&ada)).await.unwrap().is_done());
        join_all(rotations).await;
        assert!(keys(&*store, &ada).await.is_empty(), "round {round}");
    }
}

pub(crate) async fn are_erased_when_they_are_over_and_go_later(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    assert!(store.add_user_key(&rotation(&ada, 2)).await.unwrap());
    assert_eq!(store.sweep_user_keys(UNTIL - 1, UNTIL - 1).await.unwrap(), 0);
    assert_eq!(store.sweep_user_keys(UNTIL, UNTIL).await.unwrap(), 1);
    let both = keys(&*store, &ada).await;
    assert!(!both[0].key.0.is_empty() && both[1].key.0.is_empty());
    assert_eq!(store.sweep_user_keys(UNTIL + SECOND, UNTIL).await.unwrap(), 0);
    assert_eq!(store.sweep_user_keys(UNTIL + SECOND, UNTIL + SECOND).await.unwrap(), 1);
    assert_eq!(keys(&*store, &ada).await, both[..1]);
    assert!(store.add_user_key(&rotation(&ada, 3)).await.unwrap(), "numbers are not used again");
}
