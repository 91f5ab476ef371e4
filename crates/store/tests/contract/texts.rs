//! Any text is stored and returned: none is taken for SQL, and none is altered except for NUL.

use crate::fixture::Fixture;
use crate::make::{
    NOW, attempt, ban_context, begin, client_key, entry, failures, fresh, lifting, new_session, new_user, refusal,
    reserved, rotation, token_hash, user,
};
use domain::ban::{BanPolicy, Trigger};
use domain::ids::UserId;
use domain::thumbprint::Thumbprint;
use domain::token_hash::TokenHash;
use store::Store;
use store::attempts::{Acceptance, Attempt, BeginAttempt, BeginOutcome};
use store::audit::{AuditEntry, AuditEvent};
use store::bans::BanLift;
use store::keys::{KeyKind, StoredKey};
use store::remembered_devices::DeviceMemory;
use store::sessions::NewSession;
use store::users::{AddUserOutcome, PasswordHash};

const ODD: &[&str] = &[
    "'; DROP TABLE users; --",
    "\" OR \"\"=\"",
    "') ON CONFLICT DO NOTHING; --",
    "$1 ?1 :name @name %s {} \\",
    "%_*?[a-z]",
    "",
    " \t\r\n ",
    "\u{202e}txt.exe\u{2066}",
    "Z\u{0335}\u{0321}a\u{0322}lgo",
    "\u{feff}\u{200b}\u{fffd}\u{fffe}",
    "👩‍👩‍👧‍👦 \u{10ffff}",
    "é e\u{301} ﬁ İ ı ß ẞ",
    "\u{1}\u{7f}\u{85}\u{9f}",
];

pub(crate) async fn come_back_as_they_went_in(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let long = "long 'text' ".repeat(10_000);
    for (n, odd) in ODD.iter().copied().chain([long.as_str()]).enumerate() {
        let at = client_key(u32::try_from(n).unwrap() + 100);
        let text = odd.to_owned();

        let mut new = new_user(&format!("user{n}"));
        new.id = format!("{n}{odd}").into();
        new.password_hash = PasswordHash(text.clone());
        assert_eq!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
        assert_eq!(store.user_by_id(&new.id).await.unwrap().unwrap().password_hash.0, odd);
        assert_eq!(store.user_by_key(odd).await.unwrap(), None);

        let audit = AuditEntry {
            id: fresh(odd),
            outcome: text.clone(),
            user: Some(text.clone().into()),
            session: Some(text.clone().into()),
            address: text.clone(),
            device: text.clone(),
            about: text.clone(),
            ..entry(AuditEvent::Login, None, NOW)
        };
        store.append(&audit).await.unwrap();
        assert_eq!(store.audit_of(&odd.into(), 10).await.unwrap(), [audit]);

        let begin = BeginAttempt {
            attempt: Attempt { id: text.clone(), client_key: at },
            short_key: fresh(odd),
            body: text.clone(),
            ..begin(at, NOW)
        };
        assert_eq!(store.begin(&begin).await.unwrap(), BeginOutcome::Reserved);
        let mut refused = refusal(begin.attempt.clone(), Trigger::InvalidCredentials, Some(odd), NOW);
        refused.evidence.clone_from(&text);
        refused.ban_context.incident.clone_from(&text);
        refused.ban_context.ban_id = fresh(odd).into();
        let bans = store.refuse(&refused).await.unwrap();
        assert_eq!((bans[0].evidence.as_str(), bans[0].incident.as_str()), (odd, odd));
        assert_eq!(failures(&*store, odd).await.count, 1);
        assert_eq!(
            store.begin(&BeginAttempt { attempt: attempt(at), ..begin }).await.unwrap(),
            BeginOutcome::Banned(Box::new(bans[0].clone()))
        );
        let lifted = store.lift(at, &BanLift { reason: text.clone(), ..lifting(odd, NOW) }).await.unwrap();
        assert_eq!((lifted[0].lifted_by.as_deref(), lifted[0].lift_reason.as_deref()), (Some(odd), Some(odd)));
        assert_eq!(
            store
                .record_offence(at, Trigger::Flood, odd, &ban_context(&BanPolicy::standard(), NOW))
                .await
                .unwrap()
                .unwrap()
                .evidence,
            odd
        );
        store.lift(at, &lifting(odd, NOW)).await.unwrap();

        let session = NewSession {
            id: fresh(odd).into(),
            refresh_hash: token_hash(&text),
            jkt: Some(Thumbprint::of(&text)),
            receiving_key: Some(text.clone()),
            device: text.clone(),
            address: text.clone(),
            ..new_session(&ada, NOW)
        };
        let audit = entry(AuditEvent::Login, Some(&ada), NOW);
        let attempt = reserved(&*store, at, NOW).await;
        let acceptance = Acceptance {
            attempt,
            account: text.clone(),
            session: session.clone(),
            forgive: true,
            pending: None,
            memory: DeviceMemory::default(),
            code: None,
            audit,
            now: NOW,
        };
        assert!(store.accept(&acceptance).await.unwrap());
        assert_eq!(failures(&*store, odd).await.count, 0);
        let mut rotation = rotation(&session.id, 0, NOW);
        rotation.from_hash = token_hash(&text);
        rotation.to_hash = token_hash(&format!("{odd}next"));
        assert!(store.rotate(&rotation).await.unwrap());
        let row = store.session(&session.id).await.unwrap().unwrap();
        assert_eq!(
            (row.device.as_str(), row.life.jkt, row.life.previous.as_ref().map(TokenHash::as_str)),
            (odd, Some(Thumbprint::of(odd)), Some(odd))
        );
        assert_eq!(row.life.current, rotation.to_hash);
        assert!(
            store.revoke(&ada, &session.id, &entry(AuditEvent::Logout, Some(&odd.into()), NOW), NOW).await.unwrap()
        );

        key_comes_back(&*store, odd).await;
    }
    assert_eq!(store.user_count().await.unwrap(), 2 + ODD.len() as u64);
}

async fn key_comes_back(store: &dyn Store, odd: &str) {
    let key = StoredKey {
        kid: fresh(odd),
        kind: KeyKind::Mac,
        alg: odd.to_owned(),
        sealed: odd.to_owned(),
        public_half: String::new(),
        created_at: NOW,
        used_from: NOW,
        revoked_at: Some(NOW),
    };
    assert!(store.add_key(&key, None, None).await.unwrap());
    assert!(store.keys().await.unwrap().contains(&key));
}

pub(crate) async fn nul_is_replaced_everywhere(fixture: Fixture) {
    let store = fixture.open().await;
    user(&*store, "ada").await;
    let audit = AuditEntry { device: "a\0b\0".to_owned(), ..entry(AuditEvent::Login, Some(&"x\0y".into()), NOW) };
    store.append(&audit).await.unwrap();
    let stored = store.audit_of(&"x\0y".into(), 10).await.unwrap();
    assert_eq!(
        (stored[0].device.as_str(), stored[0].user.as_ref().map(UserId::as_str)),
        ("a\u{fffd}b\u{fffd}", Some("x\u{fffd}y"))
    );
    // NUL does not make one name match another's row.
    assert_eq!(store.user_by_key("ada\0").await.unwrap(), None);
    assert_eq!(store.user_by_key("a\0da").await.unwrap(), None);
}
