use crate::fixture::Fixture;
use crate::make::{
    HOUR, NOW, SECOND, acceptance, client_key, entry, failures, fresh, guess, new_session, reserved, set_password, user,
};
use store::attempts::LoginLookup;
use store::audit::AuditEvent;
use store::sessions::NewSession;
use store::users::PasswordHash;

pub(crate) async fn forgives_the_account_and_nothing_else(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let mut now = NOW;
    for (account, steps) in [("ada", 2), ("bob", 1)] {
        for _ in 0..steps {
            now = guess(&*store, client_key(1), account, now).await[0].until;
        }
    }
    guess(&*store, client_key(2), "ada", now).await;
    let attempt = reserved(&*store, client_key(1), now).await;
    assert!(store.accept(&acceptance(attempt, "ada", new_session(&ada, now), now)).await.unwrap());
    assert_eq!(failures(&*store, "ada").await.count, 0);
    assert_eq!(failures(&*store, "bob").await.count, 1);

    let length = |ban: &store::bans::Ban| (ban.until - ban.since) / SECOND;
    let bans = guess(&*store, client_key(1), "ada", now).await;
    assert_eq!(length(&bans[0]), 2, "back at the first step");
    let bans = guess(&*store, client_key(1), "bob", bans[0].until).await;
    assert_eq!(length(&bans[0]), 5, "another account's ladder stays");
    let bans = guess(&*store, client_key(2), "ada", now + 2 * SECOND).await;
    assert_eq!(length(&bans[0]), 5, "another identity's ladder stays");
}

pub(crate) async fn nobody_whose_password_was_changed_meanwhile(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let judged_by = Some(store.user_by_id(&ada).await.unwrap().unwrap().password_hash);
    let session = || NewSession { judged_by: judged_by.clone(), ..new_session(&ada, NOW) };
    let attempt = reserved(&*store, client_key(1), NOW).await;
    assert!(store.accept(&acceptance(attempt, "ada", session(), NOW)).await.unwrap());

    let attempt = reserved(&*store, client_key(1), NOW).await;
    let audit = entry(AuditEvent::PasswordSet, Some(&ada), NOW);
    assert!(set_password(&*store, &ada, "ada", &PasswordHash("$argon2id$new".to_owned()), &audit, NOW).await);
    assert!(!store.accept(&acceptance(attempt, "ada", session(), NOW)).await.unwrap());
    assert_eq!(store.sessions_of(&ada, NOW).await.unwrap(), []);
}

pub(crate) async fn nobody_that_is_gone_or_disabled(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    assert!(
        store.set_disabled(&ada, true, &entry(AuditEvent::UserDisabled, Some(&ada), NOW), NOW).await.unwrap().is_done()
    );
    guess(&*store, client_key(1), "ada", NOW).await;
    for user in [ada, fresh("nobody").into()] {
        let now = NOW + 2 * SECOND;
        let attempt = reserved(&*store, client_key(1), now).await;
        let acceptance = acceptance(attempt, "ada", new_session(&user, now), now);
        assert!(!store.accept(&acceptance).await.unwrap());
        assert_eq!(store.session(&acceptance.session.id).await.unwrap(), None);
        assert!(!store.audit_of(&user, 10).await.unwrap().contains(&acceptance.audit));
        assert_eq!(failures(&*store, "ada").await.count, 1);
    }
}

/// Checks that name, failures and forgivable offences are read together, and that none of them hides another.
pub(crate) async fn the_stored_context_of_an_attempt(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let standing = async |name: &str, account: &str, who: u32| {
        store
            .login_context(LoginLookup {
                name_key: name,
                account,
                client_key: client_key(who),
                place: "here",
                relying_party: None,
            })
            .await
            .unwrap()
    };

    let fresh = standing("ada", "digest", 1).await;
    assert_eq!(fresh.user.map(|user| user.id).as_ref(), Some(&ada));
    assert_eq!((fresh.failures.count, fresh.forgivable), (0, false));
    let nobody = standing("bob", "digest", 1).await;
    assert!(nobody.user.is_none() && !nobody.forgivable);

    guess(&*store, client_key(1), "digest", NOW).await;
    let missed = standing("bob", "digest", 1).await;
    assert!(missed.user.is_none());
    assert_eq!((missed.failures.count, missed.failures.last_at, missed.forgivable), (1, NOW, true));
    assert!(standing("ada", "digest", 2).await.forgivable, "the account's failures are everybody's");
    assert!(!standing("ada", "other", 1).await.forgivable, "another account has nothing to do with it");

    assert!(!standing("ada", "digest", 1).await.known_network);
    let attempt = reserved(&*store, client_key(1), NOW + HOUR).await;
    let session = NewSession { address: "here".to_owned(), ..new_session(&ada, NOW + HOUR) };
    assert!(store.accept(&acceptance(attempt, "digest", session, NOW + HOUR)).await.unwrap());
    assert!(standing("ada", "digest", 1).await.known_network);
    assert!(!standing("bob", "digest", 1).await.known_network);
}
