use crate::fixture::Fixture;
use crate::make::{DAY, NOW, attempt, client_key, entry, fresh, new_session, user};
use domain::authentication::{Method, Methods};
use domain::ids::UserId;
use domain::passkey::PasskeyState;
use domain::second_factor::Factors;
use domain::thumbprint::Thumbprint;
use futures::future::join_all;
use std::sync::Arc;
use store::Store;
use store::audit::AuditEvent;
use store::passkeys::{AddPasskeyOutcome, NewPasskey, Passkey, PasskeyAcceptance, UsedPasskey};
use store::second_factors::{NewPendingSignIn, PasskeyAfterPassword, PendingSignIn};
use store::users::{ChangeOutcome, DeleteUser, PasswordHash};

fn new(user: &UserId) -> NewPasskey {
    let state = PasskeyState { backup_eligible: true, backed_up: false, sign_count: 0 };
    NewPasskey {
        passkey: Passkey {
            id: fresh("passkey"),
            credential_id: fresh("credential"),
            user: user.to_owned(),
            relying_party: "auth.example".to_owned(),
            public_key: "pQECAyYg".to_owned(),
            aaguid: "00000000-0000-0000-0000-000000000000".to_owned(),
            transports: "hybrid internal".to_owned(),
            user_verified: true,
            state,
            label: "My phone".to_owned(),
            created_at: NOW,
            used_at: None,
        },
        short_key: fresh("challenge"),
        short_key_expires_at: NOW + DAY,
        most: 3,
        recovery_codes: Vec::new(),
        audit: entry(AuditEvent::PasskeyAdded, Some(user), NOW),
    }
}

async fn add(store: &dyn Store, user: &UserId) -> Passkey {
    store.ensure_passkey_handle(user, &fresh("handle")).await.unwrap();
    let new = new(user);
    assert_eq!(store.add_passkey(&new).await.unwrap(), AddPasskeyOutcome::Added);
    new.passkey
}

fn use_of(passkey: &Passkey, state: PasskeyState) -> PasskeyAcceptance {
    let mut session = new_session(&passkey.user, NOW);
    session.methods = Methods::of(Method::Passkey);
    PasskeyAcceptance {
        attempt: attempt(client_key(1)),
        client_key: client_key(1),
        account: "digest".to_owned(),
        passkey: UsedPasskey {
            id: passkey.id.clone(),
            user: passkey.user.clone(),
            relying_party: "auth.example".to_owned(),
            state,
            now: NOW + 1,
        },
        pending: None,
        forgive: false,
        session,
        audit: vec![
            entry(AuditEvent::Login, Some(&passkey.user), NOW),
            entry(AuditEvent::PasskeyChanged, Some(&passkey.user), NOW),
        ],
        now: NOW + 1,
    }
}

pub(crate) async fn keep_what_was_given(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    assert_eq!(store.passkey_handle(&ada).await.unwrap(), None);
    let handle = store.ensure_passkey_handle(&ada, "handle of ada").await.unwrap();
    assert_eq!(store.ensure_passkey_handle(&ada, "another").await.unwrap(), handle);
    store.ensure_passkey_handle(&bob, "handle of bob").await.unwrap();
    let (first, second) = (add(&*store, &ada).await, add(&*store, &ada).await);
    assert_eq!(store.passkeys(&ada).await.unwrap(), [first.clone(), second.clone()], "oldest first");
    assert!(store.passkeys(&bob).await.unwrap().is_empty());
    let owner = store.passkey_owner(&second.credential_id).await.unwrap().unwrap();
    assert_eq!((owner.passkey, owner.user.id, owner.handle), (second.clone(), ada.clone(), handle));
    assert!(store.passkey_owner("unknown").await.unwrap().is_none());
    assert_eq!(store.passkey_hosts().await.unwrap(), [("auth.example".to_owned(), 2)]);
    let audit = entry(AuditEvent::PasskeyRenamed, Some(&ada), NOW);
    assert!(!store.rename_passkey(&bob, &second.id, "mine", &audit).await.unwrap());
    assert!(store.rename_passkey(&ada, &second.id, "Blue key", &audit).await.unwrap());
    assert_eq!(store.passkeys(&ada).await.unwrap()[1].label, "Blue key");
    let audit = entry(AuditEvent::PasskeyRemoved, Some(&ada), NOW);
    assert!(!store.remove_passkey(&bob, &second.id, &audit).await.unwrap());
    assert!(store.remove_passkey(&ada, &second.id, &audit).await.unwrap());
    assert!(!store.remove_passkey(&ada, &second.id, &audit).await.unwrap());
    assert_eq!(store.passkeys(&ada).await.unwrap(), [first]);
}

pub(crate) async fn are_added_once_per_challenge_and_id_up_to_the_maximum(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    for user in [&ada, &bob] {
        store.ensure_passkey_handle(user, &fresh("handle")).await.unwrap();
    }
    let first = new(&ada);
    assert_eq!(store.add_passkey(&first).await.unwrap(), AddPasskeyOutcome::Added);
    let replayed = NewPasskey { short_key: first.short_key.clone(), ..new(&ada) };
    assert_eq!(store.add_passkey(&replayed).await.unwrap(), AddPasskeyOutcome::Replayed);
    let mut taken = new(&bob);
    taken.passkey.credential_id = first.passkey.credential_id.clone();
    assert_eq!(store.add_passkey(&taken).await.unwrap(), AddPasskeyOutcome::Taken);
    // Twenty at once, of which two more fit.
    let store: Arc<dyn Store> = store;
    let tries = (0..20).map(|_| {
        let (store, new) = (Arc::clone(&store), new(&ada));
        tokio::spawn(async move { store.add_passkey(&new).await.unwrap() })
    });
    let outcomes: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let added = outcomes.iter().filter(|outcome| **outcome == AddPasskeyOutcome::Added).count();
    assert_eq!(added, 2, "{outcomes:?}");
    assert_eq!(store.passkeys(&ada).await.unwrap().len(), 3);
    let audit = entry(AuditEvent::UserDisabled, Some(&bob), NOW);
    assert!(store.set_disabled(&bob, true, &audit, NOW).await.unwrap().is_done());
    assert_eq!(store.add_passkey(&new(&bob)).await.unwrap(), AddPasskeyOutcome::Full);
}

pub(crate) async fn sign_in_while_they_and_their_account_are_there(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let passkey = add(&*store, &ada).await;
    let state = PasskeyState { backup_eligible: false, backed_up: false, sign_count: 7 };
    let accepted = use_of(&passkey, state);
    assert!(store.accept_passkey(&accepted).await.unwrap());
    let used = &store.passkeys(&ada).await.unwrap()[0];
    assert_eq!((used.state, used.used_at), (state, Some(NOW + 1)));
    assert!(store.session(&accepted.session.id).await.unwrap().is_some());
    assert_eq!(store.audit_of(&ada, 10).await.unwrap().len(), 4, "added, registered, signed in, changed");
    let mut of_another = use_of(&passkey, PasskeyState { sign_count: 8, ..state });
    of_another.session.user = user(&*store, "bob").await;
    assert!(!store.accept_passkey(&of_another).await.unwrap(), "a session of somebody else");
    let removed = add(&*store, &ada).await;
    let audit = entry(AuditEvent::PasskeyRemoved, Some(&ada), NOW);
    assert!(store.remove_passkey(&ada, &removed.id, &audit).await.unwrap());
    let next = PasskeyState { sign_count: 8, ..state };
    assert!(!store.accept_passkey(&use_of(&removed, next)).await.unwrap());
    let audit = entry(AuditEvent::UserDisabled, Some(&ada), NOW);
    assert!(store.set_disabled(&ada, true, &audit, NOW).await.unwrap().is_done());
    let late = use_of(&passkey, next);
    assert!(!store.accept_passkey(&late).await.unwrap());
    assert!(store.session(&late.session.id).await.unwrap().is_none());
}

pub(crate) async fn never_lower_their_counter(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let passkey = add(&*store, &ada).await;
    let at = |sign_count| PasskeyState { sign_count, ..passkey.state };
    for (count, accepted) in [(0, true), (0, true), (7, true), (7, false), (6, false), (0, false), (8, true)] {
        assert_eq!(store.accept_passkey(&use_of(&passkey, at(count))).await.unwrap(), accepted, "{count}");
    }
    // Twenty at once with rising counters: the last one that is stored is the highest.
    let store: Arc<dyn Store> = store;
    let tasks = (9..29).map(|count| {
        let (store, used) = (Arc::clone(&store), use_of(&passkey, at(count)));
        tokio::spawn(async move { store.accept_passkey(&used).await.unwrap() })
    });
    let accepted = join_all(tasks).await.into_iter().filter(|accepted| *accepted.as_ref().unwrap()).count();
    assert!(accepted >= 1);
    assert_eq!(store.passkeys(&ada).await.unwrap()[0].state.sign_count, 28);
}

pub(crate) async fn go_with_their_account(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    store.ensure_passkey_handle(&ada, "handle").await.unwrap();
    let passkey = add(&*store, &ada).await;
    let deletion = DeleteUser {
        attempt: None,
        user: ada.clone(),
        account: "digest".to_owned(),
        audit: entry(AuditEvent::UserDeleted, Some(&ada), NOW),
        now: NOW,
    };
    assert!(matches!(store.delete_user(&deletion).await.unwrap(), ChangeOutcome::Done { .. }));
    assert!(store.passkeys(&ada).await.unwrap().is_empty());
    assert_eq!(store.passkey_handle(&ada).await.unwrap(), None);
    assert!(store.passkey_owner(&passkey.credential_id).await.unwrap().is_none());
}

pub(crate) async fn finish_a_pending_sign_in_once_and_at_their_host(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let passkey = add(&*store, &ada).await;
    let pending = PendingSignIn {
        id: "p".to_owned(),
        user: ada.clone(),
        judged_by: PasswordHash("$argon2id$of ada".to_owned()),
        jkt: Some(Thumbprint::of("thumbprint")),
        expires_at: NOW + DAY,
    };
    let audit = entry(AuditEvent::Login, Some(&ada), NOW);
    store.add_pending(&NewPendingSignIn { attempt: attempt(client_key(1)), pending, audit }).await.unwrap();
    let mut elsewhere = use_of(&passkey, passkey.state);
    "other.example".clone_into(&mut elsewhere.passkey.relying_party);
    assert!(!store.accept_passkey(&elsewhere).await.unwrap(), "another host");
    let store: Arc<dyn Store> = store;
    let tasks = (0..20).map(|_| {
        let finish = PasskeyAcceptance { pending: Some("p".to_owned()), ..use_of(&passkey, passkey.state) };
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.accept_passkey(&finish).await.unwrap() })
    });
    let accepted = join_all(tasks).await.into_iter().filter(|accepted| *accepted.as_ref().unwrap()).count();
    assert_eq!(accepted, 1);
    assert_eq!(store.sessions_of(&ada, NOW).await.unwrap().len(), 1);
}

pub(crate) async fn are_needed_beside_the_password_when_their_owner_says_so(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let (first, second) = (add(&*store, &ada).await, add(&*store, &ada).await);
    let request = |user: &UserId, host: Option<&str>| PasskeyAfterPassword {
        user: user.to_owned(),
        wanted: host.map(str::to_owned),
        recovery_codes: host.map(|_| vec!["a".to_owned(), "b".to_owned()]).unwrap_or_default(),
        audit: entry(AuditEvent::SecondFactorAdded, Some(user), NOW),
        now: NOW,
    };
    let of = |passkeys, recovery_codes, passkey_after_password| Factors {
        totp: false,
        passkeys,
        passkey_after_password,
        recovery_codes,
    };
    let host = Some("auth.example");
    assert_eq!(store.factors(&ada, host).await.unwrap(), of(2, 0, false));
    assert_eq!(store.factors(&ada, Some("other.example")).await.unwrap(), of(0, 0, false), "none works there");
    assert!(!store.set_passkey_after_password(&request(&bob, host)).await.unwrap(), "he has no passkey");
    assert!(!store.set_passkey_after_password(&request(&ada, Some("other.example"))).await.unwrap(), "of another host");
    assert!(store.set_passkey_after_password(&request(&ada, host)).await.unwrap());
    assert!(!store.set_passkey_after_password(&request(&ada, host)).await.unwrap(), "it is so already");
    assert_eq!(store.factors(&ada, host).await.unwrap(), of(2, 2, true));
    assert!(store.set_passkey_after_password(&request(&ada, None)).await.unwrap());
    assert_eq!(store.factors(&ada, host).await.unwrap(), of(2, 2, false), "a passkey may be required without a wish");

    // The requirement ends with the last passkey.
    assert!(store.set_passkey_after_password(&request(&ada, host)).await.unwrap());
    let removed = || entry(AuditEvent::PasskeyRemoved, Some(&ada), NOW);
    assert!(store.remove_passkey(&ada, &first.id, &removed()).await.unwrap());
    assert_eq!(store.factors(&ada, host).await.unwrap(), of(1, 2, true));
    assert!(store.remove_passkey(&ada, &second.id, &removed()).await.unwrap());
    assert_eq!(store.factors(&ada, host).await.unwrap(), Factors::default());

    // An administrator removes all of it at once.
    add(&*store, &ada).await;
    assert!(store.set_passkey_after_password(&request(&ada, host)).await.unwrap());
    let removed = entry(AuditEvent::SecondFactorRemoved, Some(&ada), NOW);
    assert!(store.remove_factors(&ada, &removed).await.unwrap());
    assert_eq!(store.factors(&ada, host).await.unwrap(), Factors::default());
    assert!(!store.remove_factors(&ada, &removed).await.unwrap(), "nothing is left");
}
