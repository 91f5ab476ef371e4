use crate::fixture::Fixture;
use crate::make::{
    DAY, HOUR, NOW, SECOND, acceptance, attempt, client_key, entry, new_session, rotation, session, user,
};
use domain::account::Role;
use domain::authentication::{Authentication, Method, Methods};
use domain::ids::SessionId;
use domain::session::Session;
use domain::thumbprint::Thumbprint;
use store::audit::AuditEvent;
use store::sessions::{NewSession, SessionChange, SessionRow};

pub(crate) async fn keeps_what_was_given(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "Ada").await;
    let new = NewSession {
        jkt: Some(Thumbprint::of("thumbprint")),
        receiving_key: Some("{\"kty\":\"EC\"}".to_owned()),
        methods: Methods::PASSWORD.with(Method::Totp),
        ..new_session(&ada, NOW)
    };
    let acceptance = acceptance(attempt(client_key(1)), "digest", new.clone(), NOW);
    assert!(store.accept(&acceptance).await.unwrap());
    let expected = SessionRow {
        id: new.id.clone(),
        user: ada.clone(),
        username: "Ada".to_owned(),
        role: Role::User,
        user_disabled: false,
        life: Session {
            generation: 0,
            current: new.refresh_hash,
            previous: None,
            rotated_at: NOW,
            used: 0,
            jkt: Some(Thumbprint::of("thumbprint")),
            idle_at: NOW + DAY,
            ends_at: NOW + 30 * DAY,
            revoked: false,
        },
        authentication: Authentication { methods: new.methods, at: NOW },
        device: new.device,
        address: new.address,
        receiving_key: new.receiving_key,
        created_at: NOW,
        used_at: NOW,
    };
    assert_eq!(store.session(&new.id).await.unwrap(), Some(expected));
    assert_eq!(store.session(&"none".into()).await.unwrap(), None);
    assert!(store.audit_of(&ada, 10).await.unwrap().contains(&acceptance.audit));
}

pub(crate) async fn ends_only_for_its_owner_and_once(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let id = session(&*store, &ada, NOW).await;
    let audit = entry(AuditEvent::SessionEnded, Some(&ada), NOW);
    assert!(!store.revoke(&bob, &id, &audit, NOW).await.unwrap());
    assert!(!store.revoke(&ada, &"none".into(), &audit, NOW).await.unwrap());
    assert!(!store.revoke(&ada, &id, &audit, NOW + DAY).await.unwrap(), "it was idle for too long");
    assert!(!store.audit_of(&ada, 10).await.unwrap().contains(&audit));
    assert!(store.revoke(&ada, &id, &audit, NOW).await.unwrap());
    assert!(!store.revoke(&ada, &id, &entry(AuditEvent::SessionEnded, Some(&ada), NOW), NOW).await.unwrap());
    assert!(store.session(&id).await.unwrap().unwrap().life.revoked);
    let ended = store.audit_of(&ada, 10).await.unwrap();
    assert_eq!(ended.iter().filter(|entry| entry.event == AuditEvent::SessionEnded).count(), 1);
}

pub(crate) async fn others_end_and_the_kept_one_stays(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let mut hers = Vec::new();
    for _ in 0..4 {
        hers.push(session(&*store, &ada, NOW).await);
    }
    let his = session(&*store, &bob, NOW).await;
    let kept = hers.remove(1);
    let audit = entry(AuditEvent::SessionEnded, Some(&ada), NOW);
    let mut ended = store.revoke_others(&ada, Some(&kept), &audit, NOW).await.unwrap();
    ended.sort();
    assert_eq!(ended, hers);
    assert!(!store.session(&kept).await.unwrap().unwrap().life.revoked);
    assert!(!store.session(&his).await.unwrap().unwrap().life.revoked);

    let nothing = entry(AuditEvent::SessionEnded, Some(&ada), NOW);
    assert!(store.revoke_others(&ada, Some(&kept), &nothing, NOW).await.unwrap().is_empty());
    assert!(!store.audit_of(&ada, 10).await.unwrap().contains(&nothing));
    let all = entry(AuditEvent::SessionEnded, Some(&ada), NOW);
    assert_eq!(store.revoke_others(&ada, None, &all, NOW).await.unwrap(), [kept]);
}

pub(crate) async fn are_listed_last_used_first(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let first = session(&*store, &ada, NOW).await;
    let second = session(&*store, &ada, NOW + SECOND).await;
    let over = session(&*store, &ada, NOW - DAY).await;
    let ended = session(&*store, &ada, NOW).await;
    assert!(store.revoke(&ada, &ended, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap());
    let ids = async |now| -> Vec<SessionId> {
        store.sessions_of(&ada, now).await.unwrap().into_iter().map(|row| row.id).collect()
    };
    assert_eq!(ids(NOW).await, [second.clone(), first.clone()]);
    assert!(store.rotate(&rotation(&first, 0, NOW + HOUR)).await.unwrap());
    assert_eq!(ids(NOW + HOUR).await, [first, second]);
    assert!(!ids(NOW).await.contains(&over));
    assert!(store.sessions_of(&"nobody".into(), NOW).await.unwrap().is_empty());
}

pub(crate) async fn changes_are_published(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let quiet = session(&*store, &ada, NOW).await;
    let rotated = session(&*store, &ada, NOW).await;
    let ended = session(&*store, &ada, NOW).await;
    let then = NOW + HOUR;
    assert!(store.rotate(&rotation(&rotated, 0, then)).await.unwrap());
    assert!(store.revoke(&ada, &ended, &entry(AuditEvent::Logout, Some(&ada), then), then).await.unwrap());
    let mut changes = store.sessions_changed(then).await.unwrap();
    changes.sort_by(|a, b| a.id.cmp(&b.id));
    let ends_at = NOW + 30 * DAY;
    let expected = [
        SessionChange {
            id: rotated,
            generation: 1,
            rotated_at: then,
            idle_at: then + DAY,
            ends_at,
            revoked_at: None,
            authentication: Authentication { methods: Methods::PASSWORD, at: NOW },
            username: "ada".to_owned(),
            role: Role::User,
            profile_version: 0,
        },
        SessionChange {
            id: ended,
            generation: 0,
            rotated_at: NOW,
            idle_at: NOW + DAY,
            ends_at,
            revoked_at: Some(then),
            authentication: Authentication { methods: Methods::PASSWORD, at: NOW },
            username: "ada".to_owned(),
            role: Role::User,
            profile_version: 0,
        },
    ];
    assert_eq!(changes, expected);
    assert_eq!(store.sessions_ended(then).await.unwrap(), [(expected[1].id.clone(), then)]);
    assert!(store.sessions_ended(then + 1).await.unwrap().is_empty());
    assert!(store.sessions_changed(then + 1).await.unwrap().is_empty());
    assert!(store.sessions_changed(NOW).await.unwrap().iter().any(|change| change.id == quiet));
}

pub(crate) async fn ends_have_an_order_without_a_clock(fixture: Fixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let ada = user(&*store, "ada").await;
    let mut sessions = Vec::new();
    for _ in 0..30 {
        sessions.push(session(&*store, &ada, NOW).await);
    }
    let start = store.last_changes().await.unwrap().sessions;
    // The writers' clocks are hours apart, and ends commit in any order.
    let writers = sessions.iter().enumerate().map(|(n, id)| {
        let (store, at) =
            (if n % 2 == 0 { &store } else { &other }, if n % 3 == 0 { NOW + 60_000 } else { NOW + HOUR });
        let (ada, audit) = (ada.clone(), entry(AuditEvent::Logout, Some(&ada), at));
        async move { assert!(store.revoke(&ada, id, &audit, at).await.unwrap()) }
    });
    let reader = async {
        let (mut after, mut changes) = (start, std::collections::BTreeSet::new());
        while changes.len() < sessions.len() {
            // In the order of a node's queries: a number is stored only after everything below it was read.
            let last = other.last_changes().await.unwrap().sessions;
            changes.extend(other.sessions_published(after).await.unwrap().into_iter().map(|change| change.id));
            after = last;
        }
        changes
    };
    let (_, changes) = futures::future::join(futures::future::join_all(writers), reader).await;
    assert_eq!(changes, sessions.into_iter().collect());
    let last = store.last_changes().await.unwrap().sessions;
    assert_eq!(last, start + 30);
    assert!(store.sessions_published(last).await.unwrap().is_empty());
}

pub(crate) async fn go_when_they_were_over_long_enough(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let live = session(&*store, &ada, NOW).await;
    let idle = session(&*store, &ada, NOW - 3 * DAY).await;
    let ended = session(&*store, &ada, NOW - HOUR).await;
    assert!(store.revoke(&ada, &ended, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW - 2 * SECOND).await.unwrap());
    assert_eq!(store.sweep_sessions(NOW - 2 * DAY).await.unwrap(), 0, "idle since exactly then");
    assert_eq!(store.sweep_sessions(NOW - 2 * DAY + 1).await.unwrap(), 1);
    assert_eq!(store.session(&idle).await.unwrap(), None);
    assert_eq!(store.sweep_sessions(NOW).await.unwrap(), 1);
    assert_eq!(store.session(&ended).await.unwrap(), None);
    assert!(store.session(&live).await.unwrap().is_some());
}
