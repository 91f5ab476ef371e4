//! Roles, passwords that their owners change, and deletion.

use crate::fixture::Fixture;
use crate::make::{DAY, NOW, SECOND, client_key, entry, new_user, reserved, session, user};
use domain::account::Role;
use domain::ids::UserId;
use futures::future::join_all;
use store::Store;
use store::audit::AuditEvent;
use store::users::{AddUserOutcome, ChangeOutcome, DeleteUser, NewPassword, NewUser, PasswordHash};

async fn administrator(store: &dyn Store, name: &str) -> UserId {
    let new = NewUser { role: Role::Administrator, ..new_user(name) };
    assert_eq!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
    new.id
}

fn deletion(user: &UserId) -> DeleteUser {
    DeleteUser {
        attempt: None,
        user: user.to_owned(),
        account: "ada".to_owned(),
        audit: entry(AuditEvent::UserDeleted, Some(user), NOW),
        now: NOW,
    }
}

pub(crate) async fn the_last_administrator_stays(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (administrator(&*store, "ada").await, user(&*store, "bob").await);
    let audit = || entry(AuditEvent::MadeUser, None, NOW);
    assert_eq!(store.set_role(&ada, Role::User, &audit(), NOW).await.unwrap(), ChangeOutcome::LastAdministrator);
    assert_eq!(store.set_disabled(&ada, true, &audit(), NOW).await.unwrap(), ChangeOutcome::LastAdministrator);
    assert_eq!(store.delete_user(&deletion(&ada)).await.unwrap(), ChangeOutcome::LastAdministrator);
    assert!(store.set_role(&bob, Role::Administrator, &audit(), NOW).await.unwrap().is_done());
    assert_eq!(store.set_role(&bob, Role::Administrator, &audit(), NOW).await.unwrap(), ChangeOutcome::Nothing);
    assert!(store.set_role(&ada, Role::User, &audit(), NOW).await.unwrap().is_done());
    assert_eq!(store.set_role(&"nobody".into(), Role::User, &audit(), NOW).await.unwrap(), ChangeOutcome::Nothing);
}

pub(crate) async fn two_administrators_cannot_remove_each_other(fixture: Fixture) {
    let store = fixture.open().await;
    let all = [administrator(&*store, "ada").await, administrator(&*store, "bob").await];
    let removals = all.iter().cloned().enumerate().map(|(n, id)| {
        let store = store.clone();
        tokio::spawn(async move {
            let audit = entry(AuditEvent::MadeUser, None, NOW);
            match n {
                0 => store.set_role(&id, Role::User, &audit, NOW).await.unwrap(),
                _ => store.delete_user(&deletion(&id)).await.unwrap(),
            }
        })
    });
    let outcomes: Vec<_> = join_all(removals).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|changed| changed.is_done()).count(), 1, "{outcomes:?}");
    assert!(outcomes.contains(&ChangeOutcome::LastAdministrator));
}

pub(crate) async fn a_change_of_password_keeps_one_session(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let (here, there) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let old = store.user_by_id(&ada).await.unwrap().unwrap().password_hash;
    let change = async |judged_by: &PasswordHash, to: &str, who: u32| {
        let change = NewPassword {
            attempt: reserved(&*store, client_key(who), NOW).await,
            user: ada.clone(),
            account: "ada".to_owned(),
            judged_by: judged_by.clone(),
            hash: PasswordHash(to.to_owned()),
            keep: here.clone(),
            audit: entry(AuditEvent::PasswordSet, Some(&ada), NOW),
            now: NOW,
        };
        store.change_password(&change).await.unwrap()
    };
    assert_eq!(change(&old, "$argon2id$new", 1).await, Some(vec![there.clone()]));
    assert_eq!(change(&old, "$argon2id$other", 2).await, None, "only from the password that was judged");
    assert_eq!(store.user_by_id(&ada).await.unwrap().unwrap().password_hash.0, "$argon2id$new");
    let live = store.sessions_of(&ada, NOW + SECOND).await.unwrap();
    assert_eq!(live.iter().map(|row| &row.id).collect::<Vec<_>>(), [&here]);
    reserved(&*store, client_key(1), NOW).await;
}

pub(crate) async fn deletion_leaves_an_id_and_nothing_else(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let row = session(&*store, &ada, NOW).await;
    store.append(&entry(AuditEvent::Login, Some(&ada), NOW)).await.unwrap();
    let gone = store.delete_user(&deletion(&ada)).await.unwrap();
    assert_eq!(gone, ChangeOutcome::Done { ended: vec![row.clone()] });
    assert_eq!(store.delete_user(&deletion(&ada)).await.unwrap(), ChangeOutcome::Nothing);
    assert_eq!(store.user_by_key("ada").await.unwrap(), None);
    assert_eq!(store.user_by_id(&ada).await.unwrap(), None);
    assert_eq!(store.user_count().await.unwrap(), 0);
    assert!(!store.has_users().await.unwrap());
    assert!(store.users().await.unwrap().is_empty());
    assert!(
        store.set_disabled(&ada, false, &entry(AuditEvent::UserEnabled, None, NOW), NOW).await.unwrap()
            == ChangeOutcome::Nothing
    );

    let left = store.session(&row).await.unwrap().unwrap();
    assert!(left.life.revoked && left.user_disabled);
    assert_eq!((left.username.as_str(), left.device.as_str(), left.address.as_str()), ("", "", ""));
    let trail = store.audit_of(&ada, 10).await.unwrap();
    let before: Vec<_> = trail.iter().filter(|entry| entry.event != AuditEvent::UserDeleted).collect();
    assert!(!before.is_empty() && before.iter().all(|entry| entry.address.is_empty() && entry.device.is_empty()));

    assert_eq!(store.add_user(&new_user("ada")).await.unwrap(), AddUserOutcome::Added, "the name is free");
    assert_eq!(store.sweep_users(NOW + DAY).await.unwrap(), 0, "while a session's row is there");
    store.sweep_sessions(NOW + DAY).await.unwrap();
    assert_eq!(store.sweep_users(NOW + DAY).await.unwrap(), 1);
}
