//! Codes work once, and a sign-in that waits for its second factor is finished once.

use crate::fixture::Fixture;
use crate::make::{DAY, MINUTE, NOW, acceptance, attempt, client_key, entry, new_session, reserved, session, user};
use domain::UnixMs;
use domain::account_delay::FailureStreak;
use domain::authentication::{Authentication, Method, Methods};
use domain::ids::{SessionId, UserId};
use domain::second_factor::Factors;
use domain::thumbprint::Thumbprint;
use futures::future::join_all;
use store::Store;
use store::attempts::Acceptance;
use store::audit::AuditEvent;
use store::given_codes::{GivenCode, UsedCode};
use store::recovery_codes::UseRecoveryCode;
use store::second_factors::{ConfirmIdentity, ConfirmOutcome, ConfirmTotp, NewPendingSignIn, PendingSignIn};
use store::sessions::NewSession;
use store::user_keys::SealedKey;
use store::users::{DeleteUser, PasswordHash};

fn code(user: &UserId, id: &str, step: i64) -> UsedCode {
    UsedCode { id: id.to_owned(), user: user.to_owned(), step, drift: 0, now: NOW }
}

fn confirm(user: &UserId, id: &str, recovery_codes: &[&str]) -> ConfirmTotp {
    ConfirmTotp {
        code: code(user, id, 100),
        since: NOW - 15 * MINUTE,
        recovery_codes: recovery_codes.iter().map(|code| (*code).to_owned()).collect(),
        audit: entry(AuditEvent::SecondFactorAdded, Some(user), NOW),
    }
}

/// Adds a generator in use, whose last code was of step 100.
async fn with_totp(store: &dyn Store, user: &UserId, id: &str) {
    store.begin_totp(user, id, &SealedKey(format!("sealed {id}")), NOW).await.unwrap();
    assert!(store.confirm_totp(&confirm(user, id, &[])).await.unwrap());
}

fn recovery(user: &UserId, hash: &str) -> UseRecoveryCode {
    let audit = entry(AuditEvent::RecoveryCodeUsed, Some(user), NOW);
    UseRecoveryCode { user: user.to_owned(), code_hash: hash.to_owned(), audit, now: NOW }
}

/// A fresh proof of a session by a code.
fn proof_by(session: &SessionId, user: &UserId, now: UnixMs, code: GivenCode) -> ConfirmIdentity {
    ConfirmIdentity {
        attempt: attempt(client_key(1)),
        session: session.to_owned(),
        proven: code.method(),
        audit: vec![entry(AuditEvent::IdentityConfirmed, Some(user), now)],
        now,
        code: Some(code),
        passkey: None,
    }
}

fn proof(session: &SessionId, code: UseRecoveryCode) -> ConfirmIdentity {
    let (user, now) = (code.user.clone(), code.now);
    proof_by(session, &user, now, GivenCode::Recovery(Box::new(code)))
}

/// Uses a one-time code as a fresh proof of a session. `false`: it or a newer one was used.
async fn use_totp(store: &dyn Store, session: &SessionId, code: UsedCode) -> bool {
    let (user, now) = (code.user.clone(), code.now);
    let confirm = proof_by(session, &user, now, GivenCode::Totp(code));
    match store.confirm_identity(&confirm).await.unwrap() {
        ConfirmOutcome::Confirmed(_) => true,
        ConfirmOutcome::ProofGone => false,
        ConfirmOutcome::SessionOver => panic!("the session is over"),
    }
}

/// Uses a recovery code as a fresh proof of a session. `false`: it is unknown or used.
pub(crate) async fn use_recovery_code(store: &dyn Store, session: &SessionId, code: UseRecoveryCode) -> bool {
    match store.confirm_identity(&proof(session, code)).await.unwrap() {
        ConfirmOutcome::Confirmed(_) => true,
        ConfirmOutcome::ProofGone => false,
        ConfirmOutcome::SessionOver => panic!("the session is over"),
    }
}

fn pending(user: &UserId, id: &str) -> NewPendingSignIn {
    let pending = PendingSignIn {
        id: id.to_owned(),
        user: user.to_owned(),
        judged_by: PasswordHash("$argon2id$of ada".to_owned()),
        jkt: Some(Thumbprint::of("thumbprint")),
        expires_at: NOW + 5 * MINUTE,
    };
    NewPendingSignIn { attempt: attempt(client_key(1)), pending, audit: entry(AuditEvent::Login, Some(user), NOW) }
}

pub(crate) async fn a_generator_counts_after_its_first_code(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let live = session(&*store, &ada, NOW).await;
    store.begin_totp(&ada, "one", &SealedKey("sealed".to_owned()), NOW).await.unwrap();
    assert_eq!(store.factors(&ada, None).await.unwrap(), Factors::default());
    assert_eq!(store.totp(&ada, true).await.unwrap(), None);
    assert!(!use_totp(&*store, &live, code(&ada, "one", 101)).await, "it waits for its first code");
    let late = ConfirmTotp { since: NOW + 1, ..confirm(&ada, "one", &[]) };
    assert!(!store.confirm_totp(&late).await.unwrap());
    assert!(!store.confirm_totp(&confirm(&bob, "one", &[])).await.unwrap(), "it is not his");
    assert!(store.confirm_totp(&confirm(&ada, "one", &["a", "b"])).await.unwrap());
    assert!(!store.confirm_totp(&confirm(&ada, "one", &["c"])).await.unwrap(), "it is in use");
    assert_eq!(
        store.factors(&ada, None).await.unwrap(),
        Factors { totp: true, recovery_codes: 2, ..Factors::default() }
    );
    assert_eq!(store.factors(&bob, None).await.unwrap(), Factors::default());

    // Its successor replaces it, and keeps the codes.
    with_totp(&*store, &ada, "two").await;
    let row = store.totp(&ada, true).await.unwrap().unwrap();
    assert_eq!((row.id.as_str(), row.secret.0.as_str(), row.confirmed_at), ("two", "sealed two", Some(NOW)));
    assert!(!use_totp(&*store, &live, code(&ada, "one", 101)).await);
    let removed = entry(AuditEvent::SecondFactorRemoved, Some(&ada), NOW);
    assert!(store.remove_totp(&ada, &removed).await.unwrap());
    assert!(!store.remove_totp(&ada, &removed).await.unwrap());
    assert_eq!(
        store.factors(&ada, None).await.unwrap(),
        Factors::default(),
        "codes replace a factor, and there is none"
    );
}

pub(crate) async fn fifty_tasks_use_one_code(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    with_totp(&*store, &ada, "one").await;
    let live = session(&*store, &ada, NOW).await;
    for step in [101, 102, 104] {
        let tasks = (0..50).map(|_| {
            let (store, live, code) = (store.clone(), live.clone(), code(&ada, "one", step));
            tokio::spawn(async move { use_totp(&*store, &live, code).await })
        });
        let accepted = join_all(tasks).await.into_iter().filter(|accepted| *accepted.as_ref().unwrap()).count();
        assert_eq!(accepted, 1, "step {step}");
    }
    assert!(!use_totp(&*store, &live, code(&ada, "one", 103)).await, "an older code than the last one");
    assert!(!use_totp(&*store, &live, code(&ada, "one", 100)).await, "the code of the registration");
    let row = store.totp(&ada, true).await.unwrap().unwrap();
    assert_eq!((row.used_at, row.drift), (Some(NOW), 0));
    // The drift of the device is remembered for the next code.
    assert!(use_totp(&*store, &live, UsedCode { drift: 3, ..code(&ada, "one", 108) }).await);
    assert_eq!(store.totp(&ada, true).await.unwrap().unwrap().drift, 3);
    assert!(!use_totp(&*store, &live, UsedCode { drift: 7, ..code(&ada, "one", 108) }).await, "a used code");
    assert_eq!(store.totp(&ada, true).await.unwrap().unwrap().drift, 3);
}

pub(crate) async fn fifty_tasks_use_one_recovery_code(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let made = entry(AuditEvent::RecoveryCodesMade, Some(&ada), NOW);
    store.set_recovery_codes(&ada, &["a".to_owned(), "b".to_owned()], &made, NOW).await.unwrap();
    let live = session(&*store, &ada, NOW).await;
    assert!(!use_recovery_code(&*store, &live, recovery(&bob, "a")).await);
    let tasks = (0..50).map(|_| {
        let (store, live, used) = (store.clone(), live.clone(), recovery(&ada, "a"));
        tokio::spawn(async move { use_recovery_code(&*store, &live, used).await })
    });
    let accepted = join_all(tasks).await.into_iter().filter(|accepted| *accepted.as_ref().unwrap()).count();
    assert_eq!(accepted, 1);
    assert_eq!(store.factors(&ada, None).await.unwrap().recovery_codes, 1);
    let rows = store.audit_of(&ada, 100).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.event == AuditEvent::RecoveryCodeUsed).count(), 1);

    let made = entry(AuditEvent::RecoveryCodesMade, Some(&ada), NOW);
    store.set_recovery_codes(&ada, &["c".to_owned()], &made, NOW).await.unwrap();
    assert!(!use_recovery_code(&*store, &live, recovery(&ada, "b")).await, "a new set voids the old one");
    assert!(use_recovery_code(&*store, &live, recovery(&ada, "c")).await);
}

pub(crate) async fn a_pending_sign_in_is_tried_five_times_and_finished_once(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let new = pending(&ada, "p");
    store.add_pending(&new).await.unwrap();
    assert_eq!(store.try_pending("other", NOW).await.unwrap(), None);
    assert_eq!(store.try_pending("p", NOW + 5 * MINUTE).await.unwrap(), None, "it is over");
    let tasks = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.try_pending("p", NOW).await.unwrap() })
    });
    let tried: Vec<_> = join_all(tasks).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(tried, vec![new.pending; 5]);

    let finish = |n| Acceptance {
        pending: Some("p".to_owned()),
        ..acceptance(attempt(client_key(n)), "digest", new_session(&ada, NOW), NOW)
    };
    let tasks = (0..20).map(|n| {
        let (store, acceptance) = (store.clone(), finish(n));
        tokio::spawn(async move { store.accept(&acceptance).await.unwrap() })
    });
    let accepted = join_all(tasks).await.into_iter().filter(|accepted| *accepted.as_ref().unwrap()).count();
    assert_eq!(accepted, 1);
    assert_eq!(store.sessions_of(&ada, NOW).await.unwrap().len(), 1);
}

pub(crate) async fn expired_pending_sign_ins_are_swept(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    with_totp(&*store, &ada, "used").await;
    store.begin_totp(&ada, "waits", &SealedKey("sealed".to_owned()), NOW).await.unwrap();
    store.add_pending(&pending(&ada, "p")).await.unwrap();
    assert_eq!(store.sweep_second_factors(NOW, NOW - 1).await.unwrap(), 0);
    assert_eq!(store.sweep_second_factors(NOW + DAY, NOW).await.unwrap(), 2);
    assert!(store.totp(&ada, true).await.unwrap().is_some());

    let audit = entry(AuditEvent::UserDeleted, Some(&ada), NOW);
    let deletion = DeleteUser { attempt: None, user: ada.clone(), account: "digest".to_owned(), audit, now: NOW };
    store.delete_user(&deletion).await.unwrap();
    assert_eq!(store.totp(&ada, true).await.unwrap(), None, "nothing is left of a deleted account");
}

pub(crate) async fn a_session_is_renewed_while_it_lives(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let id = session(&*store, &ada, NOW).await;
    let new = Authentication { methods: Methods::PASSWORD.with(Method::Totp), at: NOW + MINUTE };
    assert_eq!(store.renew_authentication(&id, Method::Totp, NOW + MINUTE).await.unwrap(), Some(new));
    assert_eq!(store.session(&id).await.unwrap().unwrap().authentication, new);
    let changes = store.sessions_changed(NOW + MINUTE).await.unwrap();
    assert_eq!(changes.iter().map(|change| change.authentication).collect::<Vec<_>>(), [new], "other nodes hear of it");
    assert_eq!(store.renew_authentication(&id, Method::Totp, NOW + 31 * DAY).await.unwrap(), None);
    assert_eq!(store.renew_authentication(&"none".into(), Method::Totp, NOW).await.unwrap(), None);
}

pub(crate) async fn proofs_at_the_same_time_lose_no_method(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    for _ in 0..5 {
        let id = session(&*store, &ada, NOW).await;
        let proven = [Method::Totp, Method::Passkey, Method::RecoveryCode, Method::SecurityKey];
        let tasks = proven.into_iter().cycle().take(20).map(|method| {
            let (store, id) = (store.clone(), id.clone());
            tokio::spawn(async move { store.renew_authentication(&id, method, NOW).await.unwrap().unwrap() })
        });
        assert!(join_all(tasks).await.into_iter().all(|done| done.is_ok()));
        let methods = store.session(&id).await.unwrap().unwrap().authentication.methods;
        assert_eq!(methods, proven.into_iter().fold(Methods::PASSWORD, Methods::with));
    }
}

/// A crash or a refusal between the check of a code and the fresh session must not lose the code.
pub(crate) async fn a_recovery_code_is_used_up_with_the_fresh_proof_only(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let made = entry(AuditEvent::RecoveryCodesMade, Some(&ada), NOW);
    store.set_recovery_codes(&ada, &["a".to_owned()], &made, NOW).await.unwrap();
    let live = session(&*store, &ada, NOW).await;
    let late = UseRecoveryCode { now: NOW + 31 * DAY, ..recovery(&ada, "a") };
    for (session, code) in [("none", recovery(&ada, "a")), (live.as_str(), late)] {
        assert_eq!(store.confirm_identity(&proof(&session.into(), code)).await.unwrap(), ConfirmOutcome::SessionOver);
        assert!(store.has_recovery_code(&ada, "a").await.unwrap(), "it is unused");
    }
    let before = store.session(&live).await.unwrap().unwrap().authentication;
    let unknown = store.confirm_identity(&proof(&live, recovery(&ada, "b"))).await.unwrap();
    assert_eq!(unknown, ConfirmOutcome::ProofGone);
    assert_eq!(store.session(&live).await.unwrap().unwrap().authentication, before);

    let attempt = reserved(&*store, client_key(1), NOW).await;
    let code = UseRecoveryCode { now: NOW + MINUTE, ..recovery(&ada, "a") };
    let confirm = ConfirmIdentity { attempt, ..proof(&live, code) };
    let new = Authentication { methods: Methods::PASSWORD.with(Method::RecoveryCode), at: NOW + MINUTE };
    assert_eq!(store.confirm_identity(&confirm).await.unwrap(), ConfirmOutcome::Confirmed(new));
    assert_eq!(store.session(&live).await.unwrap().unwrap().authentication, new);
    assert!(!store.has_recovery_code(&ada, "a").await.unwrap());
    let rows = store.audit_of(&ada, 100).await.unwrap();
    for event in [AuditEvent::RecoveryCodeUsed, AuditEvent::IdentityConfirmed] {
        assert_eq!(rows.iter().filter(|row| row.event == event).count(), 1, "{event:?}");
    }
    // The attempt has ended, so the next one of this client need not wait.
    reserved(&*store, client_key(1), NOW + 1).await;
}

/// A crash or a refusal between the check of a code and the session must not lose the code.
pub(crate) async fn a_recovery_code_is_used_up_with_the_session_only(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let made = entry(AuditEvent::RecoveryCodesMade, Some(&ada), NOW);
    store.set_recovery_codes(&ada, &["a".to_owned()], &made, NOW).await.unwrap();
    assert!(store.has_recovery_code(&ada, "a").await.unwrap());
    assert!(!store.has_recovery_code(&ada, "b").await.unwrap());
    let with_code = |pending: Option<&str>, judged_by: Option<&str>| Acceptance {
        pending: pending.map(str::to_owned),
        code: Some(GivenCode::Recovery(Box::new(recovery(&ada, "a")))),
        ..acceptance(
            attempt(client_key(1)),
            "digest",
            NewSession { judged_by: judged_by.map(|hash| PasswordHash(hash.to_owned())), ..new_session(&ada, NOW) },
            NOW,
        )
    };
    assert!(!store.accept(&with_code(Some("finished"), None)).await.unwrap(), "the pending sign-in is over");
    assert!(!store.accept(&with_code(None, Some("$argon2id$other"))).await.unwrap(), "the password was changed");
    assert!(store.has_recovery_code(&ada, "a").await.unwrap(), "it is unused");
    let tasks = (0..20).map(|_| {
        let (store, acceptance) = (store.clone(), with_code(None, None));
        tokio::spawn(async move { store.accept(&acceptance).await.unwrap() })
    });
    let accepted = join_all(tasks).await.into_iter().filter(|accepted| *accepted.as_ref().unwrap()).count();
    assert_eq!(accepted, 1);
    assert_eq!(store.sessions_of(&ada, NOW).await.unwrap().len(), 1);
    assert!(!store.has_recovery_code(&ada, "a").await.unwrap());
    let rows = store.audit_of(&ada, 100).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.event == AuditEvent::RecoveryCodeUsed).count(), 1);
}

/// A thief may have begun it, and would put it into use after the administrator has removed all factors.
pub(crate) async fn a_generator_that_waits_goes_with_all_factors(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let removed = || entry(AuditEvent::SecondFactorRemoved, Some(&ada), NOW);
    assert!(!store.remove_factors(&ada, &removed()).await.unwrap(), "there is none");
    store.begin_totp(&ada, "waits", &SealedKey("sealed".to_owned()), NOW).await.unwrap();
    assert!(store.remove_factors(&ada, &removed()).await.unwrap());
    assert!(!store.confirm_totp(&confirm(&ada, "waits", &[])).await.unwrap());
    with_totp(&*store, &ada, "used").await;
    store.begin_totp(&ada, "waits too", &SealedKey("sealed".to_owned()), NOW).await.unwrap();
    assert!(store.remove_factors(&ada, &removed()).await.unwrap());
    assert!(!store.confirm_totp(&confirm(&ada, "waits too", &[])).await.unwrap());
    assert_eq!(store.factors(&ada, None).await.unwrap(), Factors::default());
}

/// A thief of a session has as many addresses as he wants, so the session itself counts.
pub(crate) async fn proofs_of_a_session_are_counted_before_they_are_checked(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let live = session(&*store, &ada, NOW).await;
    let given = async |at| store.given_proofs(&live, at).await.unwrap();
    assert_eq!(given(NOW).await, Some(FailureStreak { count: 0, last_at: UnixMs::EPOCH }));
    let tasks = (0..50).map(|_| {
        let (store, live) = (store.clone(), live.clone());
        tokio::spawn(async move { store.count_proof(&live, 0, NOW).await.unwrap() })
    });
    let counted = join_all(tasks).await.into_iter().filter(|counted| *counted.as_ref().unwrap()).count();
    assert_eq!((counted, given(NOW).await), (1, Some(FailureStreak { count: 1, last_at: NOW })), "one by one");
    assert!(store.count_proof(&live, 1, NOW + 1).await.unwrap());
    assert_eq!(given(NOW + 1).await, Some(FailureStreak { count: 2, last_at: NOW + 1 }));
    // A right one forgives.
    let made = entry(AuditEvent::RecoveryCodesMade, Some(&ada), NOW);
    store.set_recovery_codes(&ada, &["a".to_owned()], &made, NOW).await.unwrap();
    assert!(use_recovery_code(&*store, &live, recovery(&ada, "a")).await);
    assert_eq!(given(NOW + 1).await.map(|given| given.count), Some(0));
    let ended = entry(AuditEvent::SessionEnded, Some(&ada), NOW);
    assert!(store.revoke(&ada, &live, &ended, NOW + 1).await.unwrap());
    assert!(!store.count_proof(&live, 0, NOW + 2).await.unwrap(), "it is over");
    assert_eq!(given(NOW + 2).await, None);
}
