//! Devices that passed the second factor are remembered by their key, and forgotten with everything that ends trust.

use crate::fixture::Fixture;
use crate::make::{DAY, NOW, acceptance, attempt, client_key, entry, fresh, new_session, set_password, user};
use domain::UnixMs;
use domain::ids::{SessionId, UserId};
use domain::thumbprint::Thumbprint;
use store::Store;
use store::attempts::Acceptance;
use store::audit::AuditEvent;
use store::given_codes::UsedCode;
use store::recovery_codes::UseRecoveryCode;
use store::remembered_devices::{DeviceMemory, RememberedDevice};
use store::second_factors::ConfirmTotp;
use store::user_keys::SealedKey;
use store::users::PasswordHash;

fn device(user: &UserId, jkt: &str) -> RememberedDevice {
    RememberedDevice {
        id: fresh("device"),
        user: user.to_owned(),
        jkt: Thumbprint::of(jkt),
        device: "Firefox on Fedora".to_owned(),
        address: "203.0.113.0/24".to_owned(),
        created_at: NOW,
        used_at: NOW,
        expires_at: NOW + DAY,
    }
}

/// Signs in with this key; `memory` decides about the device. Returns the session.
async fn sign_in(store: &dyn Store, user: &UserId, jkt: &str, memory: DeviceMemory, now: UnixMs) -> Option<SessionId> {
    let mut session = new_session(user, now);
    session.jkt = Some(Thumbprint::of(jkt));
    let id = session.id.clone();
    let acceptance = Acceptance { memory, ..acceptance(attempt(client_key(1)), "digest", session, now) };
    store.accept(&acceptance).await.unwrap().then_some(id)
}

async fn remember(store: &dyn Store, user: &UserId, jkt: &str) -> SessionId {
    let audit = entry(AuditEvent::DeviceRemembered, Some(user), NOW);
    let memory = DeviceMemory::Remember(Box::new((device(user, jkt), audit)));
    sign_in(store, user, jkt, memory, NOW).await.unwrap()
}

async fn known(store: &dyn Store, user: &UserId) -> Vec<&'static str> {
    let name = |key| ["one", "two", "three", "of bob"].into_iter().find(|name| Thumbprint::of(name) == key).unwrap();
    let devices = store.remembered_devices(user, NOW).await.unwrap();
    let mut keys: Vec<_> = devices.into_iter().map(|one| name(one.jkt)).collect();
    keys.sort_unstable();
    keys
}

pub(crate) async fn are_known_by_their_key_until_their_time(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    remember(&*store, &ada, "one").await;
    remember(&*store, &ada, "one").await;
    remember(&*store, &ada, "two").await;
    assert_eq!(known(&*store, &ada).await, ["one", "two"], "a device is remembered once");
    let id = store.remembered_device(&ada, Thumbprint::of("one"), NOW).await.unwrap().unwrap();
    for (user, jkt, now) in [(&ada, "three", NOW), (&bob, "one", NOW), (&ada, "one", NOW + DAY)] {
        assert_eq!(store.remembered_device(user, Thumbprint::of(jkt), now).await.unwrap(), None, "{jkt} {now}");
    }
    assert!(sign_in(&*store, &ada, "one", DeviceMemory::Remembered(id.clone()), NOW + 1).await.is_some());
    let used = store.remembered_devices(&ada, NOW).await.unwrap();
    assert_eq!(used.iter().find(|one| one.id == id).map(|one| one.used_at), Some(NOW + 1));
    assert!(sign_in(&*store, &ada, "one", DeviceMemory::Remembered(id), NOW + DAY).await.is_none());
    assert_eq!(store.sweep_second_factors(NOW + DAY, NOW).await.unwrap(), 2);
    let rows = store.audit_of(&ada, 100).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.event == AuditEvent::DeviceRemembered).count(), 3);
}

pub(crate) async fn are_forgotten_with_passwords_factors_and_their_sessions(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    remember(&*store, &bob, "of bob").await;
    let about = |event| entry(event, Some(&ada), NOW);

    let (one, two) = (remember(&*store, &ada, "one").await, remember(&*store, &ada, "two").await);
    assert!(store.revoke(&ada, &one, &about(AuditEvent::Logout), NOW).await.unwrap());
    assert_eq!(known(&*store, &ada).await, ["one", "two"], "signing out is no loss of trust");
    assert!(store.revoke(&ada, &two, &about(AuditEvent::SessionEnded), NOW).await.unwrap());
    assert_eq!(known(&*store, &ada).await, ["one"]);

    let keep = remember(&*store, &ada, "three").await;
    store.revoke_others(&ada, Some(&keep), &about(AuditEvent::SessionEnded), NOW).await.unwrap();
    assert_eq!(known(&*store, &ada).await, ["three"], "all other devices");

    let (hash, set) = (PasswordHash("$argon2id$of ada".to_owned()), about(AuditEvent::PasswordSet));
    assert!(set_password(&*store, &ada, "digest", &hash, &set, NOW).await);
    assert!(known(&*store, &ada).await.is_empty(), "a new password");

    remember(&*store, &ada, "one").await;
    store.begin_totp(&ada, "t", &SealedKey("sealed".to_owned()), NOW).await.unwrap();
    let code = UsedCode { id: "t".to_owned(), user: ada.clone(), step: 1, drift: 0, now: NOW };
    let codes = vec!["a".to_owned()];
    let audit = about(AuditEvent::SecondFactorAdded);
    assert!(store.confirm_totp(&ConfirmTotp { code, since: NOW, recovery_codes: codes, audit }).await.unwrap());
    assert!(known(&*store, &ada).await.is_empty(), "another factor");

    remember(&*store, &ada, "one").await;
    let audit = about(AuditEvent::RecoveryCodeUsed);
    let used = UseRecoveryCode { user: ada.clone(), code_hash: "a".to_owned(), audit, now: NOW };
    let live = crate::make::session(&*store, &ada, NOW).await;
    assert!(crate::second_factors::use_recovery_code(&*store, &live, used).await);
    assert!(known(&*store, &ada).await.is_empty(), "a device is lost");

    remember(&*store, &ada, "one").await;
    assert!(store.remove_totp(&ada, &about(AuditEvent::SecondFactorRemoved)).await.unwrap());
    assert!(known(&*store, &ada).await.is_empty(), "a factor less");

    remember(&*store, &ada, "one").await;
    remember(&*store, &ada, "two").await;
    let forgotten = || about(AuditEvent::DeviceForgotten);
    let id = store.remembered_device(&ada, Thumbprint::of("one"), NOW).await.unwrap().unwrap();
    assert!(!store.forget_devices(&bob, Some(&id), &forgotten()).await.unwrap(), "it is hers");
    assert!(store.forget_devices(&ada, Some(&id), &forgotten()).await.unwrap());
    assert!(!store.forget_devices(&ada, Some(&id), &forgotten()).await.unwrap());
    assert_eq!(known(&*store, &ada).await, ["two"]);
    assert!(store.forget_devices(&ada, None, &forgotten()).await.unwrap());
    assert!(!store.forget_devices(&ada, None, &forgotten()).await.unwrap());

    remember(&*store, &ada, "one").await;
    assert!(store.set_disabled(&ada, true, &about(AuditEvent::UserDisabled), NOW).await.unwrap().is_done());
    assert!(known(&*store, &ada).await.is_empty());
    assert_eq!(known(&*store, &bob).await, ["of bob"], "nobody else's");
}

pub(crate) async fn let_nobody_in_who_was_forgotten_meanwhile(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    remember(&*store, &ada, "one").await;
    let id = store.remembered_device(&ada, Thumbprint::of("one"), NOW).await.unwrap().unwrap();
    let before = store.sessions_of(&ada, NOW).await.unwrap().len();
    assert!(store.forget_devices(&ada, None, &entry(AuditEvent::DeviceForgotten, Some(&ada), NOW)).await.unwrap());
    assert!(sign_in(&*store, &ada, "one", DeviceMemory::Remembered(id), NOW).await.is_none());
    assert_eq!(store.sessions_of(&ada, NOW).await.unwrap().len(), before);
}
