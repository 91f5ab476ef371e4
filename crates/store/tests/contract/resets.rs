use crate::fixture::Fixture;
use crate::make::{HOUR, NOW, client_key, entry, failures, fresh, guess, reserved, session, set_password, user};
use domain::UnixMs;
use domain::account::Role;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use futures::future::join_all;
use store::Store;
use store::attempts::Attempt;
use store::audit::AuditEvent;
use store::invitations::Invitation;
use store::resets::{Reset, UseReset};
use store::users::{NewPassword, PasswordHash};

async fn link(store: &dyn Store, user: &UserId) -> CodeHash {
    let code_hash = CodeHash::of(&fresh("hash"));
    let reset = Reset {
        user: user.to_owned(),
        code_hash: code_hash.clone(),
        made_by: None,
        created_at: NOW,
        expires_at: NOW + HOUR,
    };
    store.add_reset(&reset, &entry(AuditEvent::ResetMade, Some(user), NOW)).await.unwrap();
    code_hash
}

fn used(attempt: Attempt, user: &UserId, code_hash: &CodeHash, hash: &str, now: UnixMs) -> UseReset {
    UseReset {
        attempt,
        code_hash: code_hash.clone(),
        user: user.to_owned(),
        account: "ada".to_owned(),
        hash: PasswordHash(hash.to_owned()),
        audit: entry(AuditEvent::PasswordSet, Some(user), now),
        now,
    }
}

pub(crate) async fn set_a_password_once_and_end_the_sessions(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    guess(&*store, client_key(9), "ada", NOW).await;
    let code = link(&*store, &ada).await;
    assert_eq!(store.reset_of(&code, NOW).await.unwrap().map(|user| user.id).as_ref(), Some(&ada));
    let tries = (0..20).map(|n| {
        let (store, ada, code) = (store.clone(), ada.clone(), code.clone());
        tokio::spawn(async move {
            let attempt = reserved(&*store, client_key(100 + n), NOW).await;
            store.use_reset(&used(attempt, &ada, &code, &format!("$argon2id${n}"), NOW)).await.unwrap()
        })
    });
    let ended: Vec<_> = join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(ended, [vec![session]], "one of twenty, and the session with it");
    assert_eq!(failures(&*store, "ada").await.count, 0);
    assert_eq!(store.reset_of(&code, NOW).await.unwrap(), None);
}

pub(crate) async fn are_void_after_every_change_of_their_account(fixture: Fixture) {
    let store = fixture.open().await;
    // One administrator must remain.
    let root = user(&*store, "root").await;
    let ada = user(&*store, "ada").await;
    let audit = || entry(AuditEvent::MadeUser, None, NOW);
    assert!(store.set_role(&root, Role::Administrator, &audit(), NOW).await.unwrap().is_done());
    let is_good = async |code: &CodeHash| store.reset_of(code, NOW).await.unwrap().is_some();
    let hash = PasswordHash("$argon2id$new".to_owned());

    let code = link(&*store, &ada).await;
    assert!(is_good(&code).await);
    assert!(set_password(&*store, &ada, "ada", &hash, &audit(), NOW).await);
    assert!(!is_good(&code).await, "set by an operator");

    let code = link(&*store, &ada).await;
    let change = NewPassword {
        attempt: reserved(&*store, client_key(1), NOW).await,
        user: ada.clone(),
        account: "ada".to_owned(),
        judged_by: hash,
        hash: PasswordHash("$argon2id$newer".to_owned()),
        keep: String::new().into(),
        audit: audit(),
        now: NOW,
    };
    assert!(store.change_password(&change).await.unwrap().is_some());
    assert!(!is_good(&code).await, "changed by its owner");

    for role in [Role::Administrator, Role::User] {
        let code = link(&*store, &ada).await;
        assert!(store.set_role(&ada, role, &audit(), NOW).await.unwrap().is_done());
        assert!(!is_good(&code).await, "{role:?}");
    }
    let code = link(&*store, &ada).await;
    assert!(store.set_disabled(&ada, true, &audit(), NOW).await.unwrap().is_done());
    assert!(!is_good(&code).await, "disabled");
    assert!(store.set_disabled(&ada, false, &audit(), NOW).await.unwrap().is_done());
    assert!(!is_good(&code).await, "and enabled again");
}

pub(crate) async fn of_a_former_administrator_are_void(fixture: Fixture) {
    let store = fixture.open().await;
    let (root, ada) = (user(&*store, "root").await, user(&*store, "ada").await);
    let audit = || entry(AuditEvent::MadeUser, None, NOW);
    assert!(store.set_role(&root, Role::Administrator, &audit(), NOW).await.unwrap().is_done());
    for by_role in [true, false] {
        let eve = user(&*store, if by_role { "eve" } else { "mallory" }).await;
        assert!(store.set_role(&eve, Role::Administrator, &audit(), NOW).await.unwrap().is_done());
        let (code_hash, invited) = (CodeHash::of(&fresh("hash")), CodeHash::of(&fresh("hash")));
        let reset = Reset {
            user: ada.clone(),
            code_hash: code_hash.clone(),
            made_by: Some(eve.clone()),
            created_at: NOW,
            expires_at: NOW + HOUR,
        };
        store.add_reset(&reset, &audit()).await.unwrap();
        let invitation = Invitation {
            id: fresh("invitation"),
            code_hash: invited.clone(),
            role: Role::Administrator,
            note: String::new(),
            made_by: Some(eve.clone()),
            created_at: NOW,
            expires_at: NOW + HOUR,
            used_at: None,
            used_by: None,
            revoked_at: None,
            email: None,
        };
        store.add_invitation(&invitation, &audit()).await.unwrap();
        assert!(store.invitation_by_code(&invited).await.unwrap().unwrap().is_open(NOW));
        let changed = if by_role {
            store.set_role(&eve, Role::User, &audit(), NOW).await
        } else {
            store.set_disabled(&eve, true, &audit(), NOW).await
        };
        assert!(changed.unwrap().is_done());
        assert!(store.reset_of(&code_hash, NOW).await.unwrap().is_none(), "{by_role}");
        assert!(!store.invitation_by_code(&invited).await.unwrap().unwrap().is_open(NOW), "{by_role}");
    }
}

pub(crate) async fn are_open_together_until_one_is_used(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let is_open = async |code: &CodeHash, now| store.reset_of(code, now).await.unwrap().is_some();
    let other = link(&*store, &bob).await;
    let mut links = Vec::new();
    for at in (0..4).map(|ms| NOW + ms) {
        let code_hash = CodeHash::of(&fresh("hash"));
        let (user, expires_at) = (ada.clone(), NOW + HOUR);
        let reset = Reset { user, code_hash: code_hash.clone(), made_by: None, created_at: at, expires_at };
        store.add_reset(&reset, &entry(AuditEvent::ResetMade, Some(&ada), at)).await.unwrap();
        links.push(code_hash);
    }
    assert!(!is_open(&links[0], NOW).await, "three at most");
    for code in &links[1..] {
        assert!(is_open(code, NOW + HOUR - 1).await && !is_open(code, NOW + HOUR).await);
    }
    let tries = (0..).zip(&links[1..]).map(|(n, code)| {
        let (store, ada, code) = (store.clone(), ada.clone(), code.clone());
        tokio::spawn(async move {
            let attempt = reserved(&*store, client_key(100 + n), NOW).await;
            store.use_reset(&used(attempt, &ada, &code, &format!("$argon2id${n}"), NOW)).await.unwrap()
        })
    });
    let done = join_all(tries).await.into_iter().filter_map(Result::unwrap).count();
    assert_eq!(done, 1, "one of three that are used at once");
    for code in &links {
        assert!(!is_open(code, NOW).await);
    }
    assert!(is_open(&other, NOW).await, "somebody else's");
    let attempt = reserved(&*store, client_key(1), NOW + HOUR).await;
    assert_eq!(store.use_reset(&used(attempt, &bob, &other, "$argon2id$x", NOW + HOUR)).await.unwrap(), None);
    assert_eq!(store.sweep_resets(NOW + HOUR).await.unwrap(), 1);
}
