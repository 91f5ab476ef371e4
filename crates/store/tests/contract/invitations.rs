use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, NOW, entry, fresh, new_user};
use domain::UnixMs;
use domain::account::Role;
use domain::code_hash::CodeHash;
use futures::future::join_all;
use store::Store;
use store::audit::AuditEvent;
use store::invitations::Invitation;
use store::users::{AddUserOutcome, NewUser};

fn invitation(note: &str, expires_at: UnixMs) -> Invitation {
    Invitation {
        id: fresh("invitation"),
        code_hash: CodeHash::of(&fresh("hash")),
        role: Role::Administrator,
        note: note.to_owned(),
        made_by: Some("somebody".into()),
        created_at: NOW,
        expires_at,
        used_at: None,
        used_by: None,
        revoked_at: None,
        email: None,
    }
}

async fn made(store: &dyn Store, note: &str, expires_at: UnixMs) -> Invitation {
    let invitation = invitation(note, expires_at);
    store.add_invitation(&invitation, &entry(AuditEvent::InvitationMade, None, NOW)).await.unwrap();
    invitation
}

fn guest(name: &str, invitation: &Invitation, now: UnixMs) -> NewUser {
    NewUser { invitation: Some(invitation.id.clone()), now, ..new_user(name) }
}

pub(crate) async fn keep_what_was_given(fixture: Fixture) {
    let store = fixture.open().await;
    let first = made(&*store, "the cook", NOW + DAY).await;
    assert_eq!(store.invitations().await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(store.open_invitations(first.expires_at - 1).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(store.open_invitations(first.expires_at).await.unwrap(), []);
    assert_eq!(store.invitation_by_code(&first.code_hash).await.unwrap(), Some(first));
    assert_eq!(store.invitation_by_code(&CodeHash::of("another")).await.unwrap(), None);
}

pub(crate) async fn make_one_account_of_fifty_tries(fixture: Fixture) {
    let store = fixture.open().await;
    let invitation = made(&*store, "", NOW + DAY).await;
    let tries = (0..50).map(|n| {
        let (store, user) = (store.clone(), guest(&format!("guest{n}"), &invitation, NOW));
        tokio::spawn(async move { (user.id.clone(), store.add_user(&user).await.unwrap()) })
    });
    let outcomes: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<_> = outcomes.iter().filter(|(_, added)| *added == AddUserOutcome::Added).collect();
    assert_eq!(winners.len(), 1);
    assert!(outcomes.iter().all(|(_, added)| matches!(added, AddUserOutcome::Added | AddUserOutcome::NotInvited)));
    assert_eq!(store.users().await.unwrap().len(), 1, "the others left nothing behind");
    let used = store.invitation_by_code(&invitation.code_hash).await.unwrap().unwrap();
    assert_eq!((used.used_at, used.used_by.as_ref()), (Some(NOW), Some(&winners[0].0)));
}

pub(crate) async fn that_are_over_make_no_account(fixture: Fixture) {
    let store = fixture.open().await;
    let late = made(&*store, "late", NOW + HOUR).await;
    assert_eq!(store.add_user(&guest("late", &late, NOW + HOUR)).await.unwrap(), AddUserOutcome::NotInvited);
    let revoked = made(&*store, "revoked", NOW + DAY).await;
    let audit = || entry(AuditEvent::InvitationRevoked, None, NOW);
    assert!(store.revoke_invitation(&revoked.id, &audit(), NOW).await.unwrap());
    assert!(!store.revoke_invitation(&revoked.id, &audit(), NOW).await.unwrap());
    assert_eq!(store.add_user(&guest("revoked", &revoked, NOW)).await.unwrap(), AddUserOutcome::NotInvited);
    let open = store.open_invitations(NOW).await.unwrap();
    assert_eq!(open.iter().map(|invitation| &invitation.id).collect::<Vec<_>>(), [&late.id], "not the revoked one");
    let taken = made(&*store, "taken", NOW + DAY).await;
    assert_eq!(store.add_user(&new_user("ada")).await.unwrap(), AddUserOutcome::Added);
    assert_eq!(store.add_user(&guest("ada", &taken, NOW)).await.unwrap(), AddUserOutcome::NameTaken);
    assert_eq!(
        store.add_user(&guest("bob", &taken, NOW)).await.unwrap(),
        AddUserOutcome::Added,
        "a taken name spends nothing"
    );

    assert_eq!(store.sweep_invitations(NOW + HOUR).await.unwrap(), 1);
    assert_eq!(store.invitations().await.unwrap().len(), 2);
}
