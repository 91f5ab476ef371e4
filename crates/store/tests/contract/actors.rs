//! Writes by a person who is no longer an administrator.

use crate::fixture::Fixture;
use crate::make::{HOUR, NOW, client_key, entry, fresh, reserved, session, set_password, user};
use domain::account::Role;
use domain::code_hash::CodeHash;
use domain::ids::{SessionId, UserId};
use futures::future::join_all;
use ipnet::IpNet;
use store::allowlist::AllowedNetwork;
use store::audit::{AuditEntry, AuditEvent};
use store::bans::BanLift;
use store::invitations::Invitation;
use store::resets::Reset;
use store::services::Service;
use store::toll::TokenChange;
use store::user_keys::{NewUserKey, SealedKey};
use store::users::{DeleteUser, NewPassword, PasswordHash};
use store::{Error, Store};

async fn administrator(store: &dyn Store, name: &str) -> UserId {
    let id = user(store, name).await;
    let audit = entry(AuditEvent::MadeAdministrator, Some(&id), NOW);
    assert!(store.set_role(&id, Role::Administrator, &audit, NOW).await.unwrap().is_done());
    id
}

/// Builds a row about an action of this administrator in this session.
fn by(actor: &UserId, session: &SessionId, event: AuditEvent) -> AuditEntry {
    AuditEntry { actor: Some(actor.to_owned()), actor_session: Some(session.to_owned()), ..entry(event, None, NOW) }
}

fn invitation(by: &UserId) -> Invitation {
    Invitation {
        id: fresh("invitation"),
        code_hash: CodeHash::of(&fresh("hash")),
        role: Role::Administrator,
        note: String::new(),
        made_by: Some(by.to_owned()),
        created_at: NOW,
        expires_at: NOW + HOUR,
        used_at: None,
        used_by: None,
        revoked_at: None,
        email: None,
    }
}

fn reset(user: &UserId, by: &UserId) -> Reset {
    Reset {
        user: user.to_owned(),
        code_hash: CodeHash::of(&fresh("hash")),
        made_by: Some(by.to_owned()),
        created_at: NOW,
        expires_at: NOW + HOUR,
    }
}

fn service(name: &str) -> Service {
    Service {
        name: name.to_owned(),
        jwk: "{}".to_owned(),
        kid: "kid".to_owned(),
        role: None,
        created_at: NOW,
        changed_at: NOW,
    }
}

fn allowed(by: &UserId) -> AllowedNetwork {
    AllowedNetwork {
        id: fresh("allowed"),
        network: "192.0.2.0/24".parse::<IpNet>().unwrap(),
        comment: String::new(),
        expires_at: None,
        made_by: by.to_string(),
        created_at: NOW,
    }
}

async fn change_password(store: &dyn Store, user: &UserId, keep: &SessionId) {
    let current = store.user_by_id(user).await.unwrap().unwrap();
    let attempt = reserved(store, client_key(7), NOW).await;
    let change = NewPassword {
        attempt,
        user: user.to_owned(),
        account: user.to_string(),
        judged_by: current.password_hash,
        hash: PasswordHash(fresh("$argon2id$new")),
        keep: keep.to_owned(),
        audit: entry(AuditEvent::PasswordSet, Some(user), NOW),
        now: NOW,
    };
    assert!(store.change_password(&change).await.unwrap().is_some());
}

async fn delete(store: &dyn Store, user: &UserId) {
    let deletion = DeleteUser {
        attempt: None,
        user: user.to_owned(),
        account: user.to_string(),
        audit: entry(AuditEvent::UserDeleted, Some(user), NOW),
        now: NOW,
    };
    assert!(store.delete_user(&deletion).await.unwrap().is_done());
}

/// Makes every change that an administrator can make.
async fn change_everything(
    store: &dyn Store,
    eve: &UserId,
    session: &SessionId,
    victim: &UserId,
) -> Vec<store::Result<()>> {
    let audit = |event| by(eve, session, event);
    let lifting =
        BanLift { by: eve.to_string(), reason: "A mistake.".to_owned(), audit: audit(AuditEvent::BanLifted), now: NOW };
    let deletion = DeleteUser {
        attempt: None,
        user: victim.to_owned(),
        account: "victim".to_owned(),
        audit: audit(AuditEvent::UserDeleted),
        now: NOW,
    };
    let key = NewUserKey {
        user: victim.to_owned(),
        number: 2,
        key: SealedKey(fresh("key")),
        made_by: Some(eve.to_owned()),
        retired_state: domain::user_key::RetiredState::Revoked,
        audit: Some(audit(AuditEvent::UserKeyMade)),
        now: NOW,
    };
    let (revoked, removed) = (audit(AuditEvent::InvitationRevoked), audit(AuditEvent::AllowRemoved));
    vec![
        store.add_invitation(&invitation(eve), &audit(AuditEvent::InvitationMade)).await,
        store.revoke_invitation("any", &revoked, NOW).await.map(drop),
        store.add_reset(&reset(victim, eve), &audit(AuditEvent::ResetMade)).await,
        store.set_role(victim, Role::Administrator, &audit(AuditEvent::MadeAdministrator), NOW).await.map(drop),
        store.set_disabled(victim, true, &audit(AuditEvent::UserDisabled), NOW).await.map(drop),
        store.put_service(&service("mine"), &audit(AuditEvent::ServiceSet)).await.map(drop),
        store.remove_service("any", &audit(AuditEvent::ServiceRemoved)).await.map(drop),
        store.allow(&allowed(eve), &audit(AuditEvent::AllowAdded)).await.map(drop),
        store.disallow("any", &removed).await.map(drop),
        store.lift(client_key(1), &lifting).await.map(drop),
        store.change_toll_token("any", TokenChange::Revoke, &audit(AuditEvent::TollRevoked)).await.map(drop),
        store.add_user_key(&key).await.map(drop),
        store.delete_user(&deletion).await.map(drop),
    ]
}

pub(crate) async fn that_are_none_any_more_change_nothing(fixture: Fixture) {
    let store = fixture.open().await;
    let root = administrator(&*store, "root").await;
    let victim = user(&*store, "victim").await;
    let audit = || entry(AuditEvent::MadeUser, None, NOW);
    for way in ["demoted", "disabled", "deleted", "password", "signed out"] {
        let eve = administrator(&*store, &format!("eve{}", way.replace(' ', ""))).await;
        let (sid, kept) = (session(&*store, &eve, NOW).await, session(&*store, &eve, NOW).await);
        match way {
            "demoted" => assert!(store.set_role(&eve, Role::User, &audit(), NOW).await.unwrap().is_done()),
            "disabled" => assert!(store.set_disabled(&eve, true, &audit(), NOW).await.unwrap().is_done()),
            "deleted" => delete(&*store, &eve).await,
            "password" => change_password(&*store, &eve, &kept).await,
            _ => assert!(store.revoke(&eve, &sid, &audit(), NOW).await.unwrap()),
        }
        for (n, outcome) in change_everything(&*store, &eve, &sid, &victim).await.into_iter().enumerate() {
            assert!(matches!(outcome, Err(Error::NotAdministrator)), "{way}, {n}: {outcome:?}");
        }
    }
    assert_eq!(store.invitations().await.unwrap(), []);
    assert_eq!(store.services().await.unwrap(), []);
    assert_eq!(store.allowlist().await.unwrap(), []);
    let left = store.user_by_id(&victim).await.unwrap().unwrap();
    assert_eq!((left.role, left.disabled_at), (Role::User, None));

    let sid = session(&*store, &root, NOW).await;
    for (n, outcome) in change_everything(&*store, &root, &sid, &victim).await.into_iter().enumerate() {
        assert!(outcome.is_ok(), "an administrator, {n}: {outcome:?}");
    }
}

pub(crate) async fn can_give_up_their_role(fixture: Fixture) {
    let store = fixture.open().await;
    let (_root, eve) = (administrator(&*store, "root").await, administrator(&*store, "eve").await);
    let sid = session(&*store, &eve, NOW).await;
    let audit = by(&eve, &sid, AuditEvent::MadeUser);
    assert!(store.set_role(&eve, Role::User, &audit, NOW).await.unwrap().is_done());
    let mallory = administrator(&*store, "mallory").await;
    let sid = session(&*store, &mallory, NOW).await;
    let audit = by(&mallory, &sid, AuditEvent::UserDisabled);
    assert!(store.set_disabled(&mallory, true, &audit, NOW).await.unwrap().is_done());
}

pub(crate) async fn leave_no_link_when_they_lose_their_role(fixture: Fixture) {
    let store = fixture.open().await;
    administrator(&*store, "root").await;
    let ada = user(&*store, "ada").await;
    for round in 0..8 {
        let eve = administrator(&*store, &format!("eve{round}")).await;
        let (sid, kept) = (session(&*store, &eve, NOW).await, session(&*store, &eve, NOW).await);
        let links: Vec<_> = (0..16)
            .map(|n| {
                let (store, eve, sid, ada) = (store.clone(), eve.clone(), sid.clone(), ada.clone());
                tokio::spawn(async move {
                    if n % 2 == 0 {
                        let invitation = invitation(&eve);
                        let audit = by(&eve, &sid, AuditEvent::InvitationMade);
                        (invitation.code_hash.clone(), store.add_invitation(&invitation, &audit).await)
                    } else {
                        let reset = reset(&ada, &eve);
                        (reset.code_hash.clone(), store.add_reset(&reset, &by(&eve, &sid, AuditEvent::ResetMade)).await)
                    }
                })
            })
            .collect();
        let audit = entry(AuditEvent::MadeUser, Some(&eve), NOW);
        match round % 4 {
            0 => assert!(store.set_role(&eve, Role::User, &audit, NOW).await.unwrap().is_done()),
            1 => assert!(store.set_disabled(&eve, true, &audit, NOW).await.unwrap().is_done()),
            2 => delete(&*store, &eve).await,
            _ => change_password(&*store, &eve, &kept).await,
        }
        for link in join_all(links).await {
            let (code, outcome) = link.unwrap();
            assert!(matches!(outcome, Ok(()) | Err(Error::NotAdministrator)), "{outcome:?}");
            let invitation = store.invitation_by_code(&code).await.unwrap();
            assert!(invitation.is_none_or(|invitation| !invitation.is_open(NOW)), "an invitation is left: {round}");
            assert_eq!(store.reset_of(&code, NOW).await.unwrap(), None, "a reset link is left: {round}");
        }
    }
}

pub(crate) async fn make_links_that_end_with_their_password(fixture: Fixture) {
    let store = fixture.open().await;
    let (eve, ada) = (administrator(&*store, "eve").await, user(&*store, "ada").await);
    for way in 0..3 {
        let sid = session(&*store, &eve, NOW).await;
        let (invited, for_ada, own) = (invitation(&eve), reset(&ada, &eve), reset(&eve, &eve));
        store.add_invitation(&invited, &by(&eve, &sid, AuditEvent::InvitationMade)).await.unwrap();
        store.add_reset(&for_ada, &by(&eve, &sid, AuditEvent::ResetMade)).await.unwrap();
        store.add_reset(&own, &by(&eve, &sid, AuditEvent::ResetMade)).await.unwrap();
        match way {
            0 => change_password(&*store, &eve, &sid).await,
            1 => {
                let audit = entry(AuditEvent::PasswordSet, Some(&eve), NOW);
                assert!(set_password(&*store, &eve, "eve", &PasswordHash(fresh("$argon2id$")), &audit, NOW).await);
            }
            _ => {
                let using = store::resets::UseReset {
                    attempt: reserved(&*store, client_key(8), NOW).await,
                    code_hash: own.code_hash.clone(),
                    user: eve.clone(),
                    account: "eve".to_owned(),
                    hash: PasswordHash(fresh("$argon2id$")),
                    audit: entry(AuditEvent::PasswordSet, Some(&eve), NOW),
                    now: NOW,
                };
                assert!(store.use_reset(&using).await.unwrap().is_some());
            }
        }
        let invited = store.invitation_by_code(&invited.code_hash).await.unwrap().unwrap();
        assert!(!invited.is_open(NOW), "{way}");
        for code in [&for_ada.code_hash, &own.code_hash] {
            assert_eq!(store.reset_of(code, NOW).await.unwrap(), None, "{way}");
        }
    }
}
