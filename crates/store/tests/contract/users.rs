use crate::fixture::Fixture;
use crate::make::{NOW, SECOND, client_key, entry, failures, fresh, guess, new_user, session, set_password, user};
use domain::account::{AccountName, Role};
use domain::account_delay::FailureStreak;
use store::audit::AuditEvent;
use store::users::{AddUserOutcome, DeleteUser, NewUser, PasswordHash, RenameOutcome, User};

pub(crate) async fn is_found_by_key_and_id(fixture: Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.user_count().await.unwrap(), 0);
    assert!(!store.has_users().await.unwrap());
    let mut new = new_user("Ada.Lovelace");
    new.role = Role::Administrator;
    assert_eq!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
    let expected = User {
        id: new.id.clone(),
        name: "Ada.Lovelace".to_owned(),
        password_hash: new.password_hash.clone(),
        role: Role::Administrator,
        created_at: NOW,
        signed_in_at: None,
        disabled_at: None,
    };
    assert_eq!(store.user_by_key("ada.lovelace").await.unwrap().as_ref(), Some(&expected));
    assert_eq!(store.user_by_id(&new.id).await.unwrap().as_ref(), Some(&expected));
    assert_eq!(store.user_by_key("Ada.Lovelace").await.unwrap(), None);
    assert_eq!(store.user_by_id(&"nobody".into()).await.unwrap(), None);
    assert_eq!(store.user_count().await.unwrap(), 1);
    assert!(store.has_users().await.unwrap());
    assert_eq!(store.audit_of(&new.id, 10).await.unwrap(), [new.audit]);
}

pub(crate) async fn names_that_differ_in_case_are_taken(fixture: Fixture) {
    let store = fixture.open().await;
    user(&*store, "ada").await;
    let again = new_user("ADA");
    assert_eq!(store.add_user(&again).await.unwrap(), AddUserOutcome::NameTaken);
    assert_eq!(store.user_count().await.unwrap(), 1);
    assert!(store.audit_of(&again.id, 10).await.unwrap().is_empty());
}

pub(crate) async fn of_names_that_look_alike_one_is_added(fixture: Fixture) {
    let store = fixture.open().await;
    // The first is Latin, the second Cyrillic.
    let (latin, cyrillic) = (new_user("paypa"), new_user("\u{440}\u{430}\u{443}\u{440}\u{430}"));
    let (one, two) = tokio::join!(store.add_user(&latin), store.add_user(&cyrillic));
    let mut answers = [one.unwrap(), two.unwrap()];
    answers.sort_by_key(|answer| *answer != AddUserOutcome::Added);
    assert_eq!(answers, [AddUserOutcome::Added, AddUserOutcome::NameConfusable]);
    let users = store.users().await.unwrap();
    assert_eq!(users.len(), 1);

    let other = user(&*store, "mallory").await;
    let rename = async |name: &str| {
        let name = AccountName::parse(name).unwrap();
        store.rename_user(&other, &name, &entry(AuditEvent::UserRenamed, Some(&other), NOW), NOW).await.unwrap()
    };
    assert_eq!(
        rename("paypa").await,
        if users[0].name == "paypa" { RenameOutcome::NameTaken } else { RenameOutcome::NameConfusable }
    );
    assert_eq!(rename("Mallory").await, RenameOutcome::Renamed, "its own name in capitals");
    assert_eq!(rename("eve").await, RenameOutcome::Renamed);
    assert!(store.user_by_key("eve").await.unwrap().is_some());
    assert_eq!(store.add_user(&new_user("mallory")).await.unwrap(), AddUserOutcome::Added, "the old name is free");
}

pub(crate) async fn are_listed_by_name(fixture: Fixture) {
    let store = fixture.open().await;
    for name in ["bob", "ada_b", "Ada-a", "zoë", "Äda", "ada.c", "42"] {
        user(&*store, name).await;
    }
    let names: Vec<_> = store.users().await.unwrap().into_iter().map(|user| user.name).collect();
    assert_eq!(names, ["42", "Ada-a", "ada.c", "ada_b", "bob", "zoë", "Äda"]);
    let (mut seen, mut after) = (Vec::new(), "nobody".to_owned());
    loop {
        let page = store.users_after(&after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = last.id.to_string();
        seen.extend(page.into_iter().map(|user| user.name));
    }
    assert_eq!(seen, names, "in parts, each once");
}

pub(crate) async fn none_is_stray_or_like_another(fixture: Fixture) {
    let store = fixture.open().await;
    for number in 0..600 {
        user(&*store, &format!("Zoë{number}")).await;
    }
    assert!(store.odd_names().await.unwrap().stray.is_empty(), "more than one part");
    assert!(store.look_alikes(100).await.unwrap().is_empty());
}

pub(crate) async fn a_new_password_ends_sessions_and_forgets_failures(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let (hers, his) = (session(&*store, &ada, NOW).await, session(&*store, &bob, NOW).await);
    guess(&*store, client_key(2), "digest of ada", NOW).await;
    assert_eq!(failures(&*store, "digest of ada").await, FailureStreak { count: 1, last_at: NOW });

    let hash = PasswordHash("new".to_owned());
    let audit = entry(AuditEvent::PasswordSet, Some(&ada), NOW);
    let later = NOW + SECOND;
    assert!(set_password(&*store, &ada, "digest of ada", &hash, &audit, later).await);
    assert_eq!(store.user_by_id(&ada).await.unwrap().unwrap().password_hash, hash);
    assert_eq!(failures(&*store, "digest of ada").await, FailureStreak::default());
    assert!(store.session(&hers).await.unwrap().unwrap().life.revoked);
    assert!(!store.session(&his).await.unwrap().unwrap().life.revoked);
    assert!(store.audit_of(&ada, 10).await.unwrap().contains(&audit));

    let nobody = entry(AuditEvent::PasswordSet, Some(&"nobody".into()), NOW);
    assert!(!set_password(&*store, &"nobody".into(), "digest", &hash, &nobody, later).await);
    assert!(store.audit_of(&"nobody".into(), 10).await.unwrap().is_empty());
}

pub(crate) async fn a_hash_is_upgraded_only_from_what_it_was(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let old = store.user_by_id(&ada).await.unwrap().unwrap().password_hash;
    let (new, newer) = (PasswordHash("new".to_owned()), PasswordHash("newer".to_owned()));
    assert!(store.upgrade_password(&ada, &old, &new).await.unwrap());
    assert!(!store.upgrade_password(&ada, &old, &newer).await.unwrap());
    assert!(!store.upgrade_password(&"nobody".into(), &old, &newer).await.unwrap());
    assert_eq!(store.user_by_id(&ada).await.unwrap().unwrap().password_hash, new);
}

pub(crate) async fn disabling_ends_sessions_and_enabling_brings_none_back(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let id = session(&*store, &ada, NOW).await;
    let audit = || entry(AuditEvent::UserDisabled, Some(&ada), NOW);
    assert!(!store.set_disabled(&ada, false, &audit(), NOW).await.unwrap().is_done());
    assert!(store.set_disabled(&ada, true, &audit(), NOW + SECOND).await.unwrap().is_done());
    assert!(!store.set_disabled(&ada, true, &audit(), NOW + 2 * SECOND).await.unwrap().is_done());
    assert_eq!(store.user_by_id(&ada).await.unwrap().unwrap().disabled_at, Some(NOW + SECOND));
    let row = store.session(&id).await.unwrap().unwrap();
    assert!(row.user_disabled && row.life.revoked);

    assert!(store.set_disabled(&ada, false, &audit(), NOW + 3 * SECOND).await.unwrap().is_done());
    let row = store.session(&id).await.unwrap().unwrap();
    assert!(!row.user_disabled && row.life.revoked);
    assert!(!store.set_disabled(&"nobody".into(), true, &audit(), NOW).await.unwrap().is_done());
    // Added, signed in, disabled, enabled.
    assert_eq!(store.audit_of(&ada, 10).await.unwrap().len(), 4);
}

pub(crate) async fn parameters_of_their_passwords_are_known(fixture: Fixture) {
    let store = fixture.open().await;
    assert!(store.password_parameters().await.unwrap().is_empty(), "nobody");
    let phc =
        |parameters: &str, salt: &str| PasswordHash(format!("{parameters}${}${}", salt.repeat(22), "b".repeat(43)));
    let (low, high) = ("$argon2id$v=19$m=64,t=1,p=1", "$argon2id$v=19$m=19456,t=2,p=1");
    let mut ids = Vec::new();
    for (name, hash) in [
        ("ada", phc(low, "a")),
        ("bob", phc(high, "a")),
        ("dan", phc(low, "c")),
        ("eve", phc(high, "d")),
        // Shorter than any hash of ours.
        ("fay", PasswordHash("$argon2id$short".to_owned())),
    ] {
        let new = NewUser { password_hash: hash, ..new_user(name) };
        ids.push(new.id.clone());
        assert_eq!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
    }
    let known = async || {
        let mut parameters = store.password_parameters().await.unwrap();
        parameters.sort();
        parameters
    };
    assert_eq!(known().await, [high, low]);
    let audit = || entry(AuditEvent::UserDeleted, None, NOW);
    for id in [&ids[1], &ids[3]] {
        let user = id.clone();
        let account = fresh("account");
        let deletion = DeleteUser { attempt: None, user, account, audit: audit(), now: NOW };
        assert!(store.delete_user(&deletion).await.unwrap().is_done());
    }
    assert_eq!(known().await, [low]);
    assert!(set_password(&*store, &ids[2], "dan", &phc(high, "e"), &audit(), NOW).await);
    assert_eq!(known().await, [high, low]);
}
