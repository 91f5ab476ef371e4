use crate::fixture::Fixture;
use crate::make::{HOUR, NOW, entry, failures, fresh, guess, identity, reserved, session, user};
use futures::future::join_all;
use store::Store;
use store::attempts::Attempt;
use store::audit::Event;
use store::resets::{Reset, UseReset};
use store::users::PasswordHash;

async fn link(store: &dyn Store, user: &str) -> String {
    let code_hash = fresh("hash");
    let reset = Reset {
        user: user.to_owned(),
        code_hash: code_hash.clone(),
        made_by: None,
        created_at: NOW,
        expires_at: NOW + HOUR,
    };
    store.add_reset(&reset, &entry(Event::ResetMade, Some(user), NOW)).await.unwrap();
    code_hash
}

fn used(attempt: Attempt, user: &str, code_hash: &str, hash: &str, now: i64) -> UseReset {
    UseReset {
        attempt,
        code_hash: code_hash.to_owned(),
        user: user.to_owned(),
        account: "ada".to_owned(),
        hash: PasswordHash(hash.to_owned()),
        audit: entry(Event::PasswordSet, Some(user), now),
        now,
    }
}

pub async fn set_a_password_once_and_end_the_sessions(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    guess(&*store, identity(9), "ada", NOW).await;
    let code = link(&*store, &ada).await;
    assert_eq!(store.reset_of(&code, NOW).await.unwrap().map(|user| user.id).as_ref(), Some(&ada));
    let tries = (0..20).map(|n| {
        let (store, ada, code) = (store.clone(), ada.clone(), code.clone());
        tokio::spawn(async move {
            let attempt = reserved(&*store, identity(100 + n), NOW).await;
            store.use_reset(&used(attempt, &ada, &code, &format!("$argon2id${n}"), NOW)).await.unwrap()
        })
    });
    let ended: Vec<_> = join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(ended, [vec![session]], "one of twenty, and the session with it");
    assert_eq!(failures(&*store, "ada").await.count, 0);
    assert_eq!(store.reset_of(&code, NOW).await.unwrap(), None);
}

pub async fn are_replaced_by_the_next_and_run_out(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let (first, second) = (link(&*store, &ada).await, link(&*store, &ada).await);
    assert_eq!(store.reset_of(&first, NOW).await.unwrap(), None);
    assert!(store.reset_of(&second, NOW + HOUR - 1).await.unwrap().is_some());
    assert_eq!(store.reset_of(&second, NOW + HOUR).await.unwrap(), None);
    let attempt = reserved(&*store, identity(1), NOW + HOUR).await;
    assert_eq!(store.use_reset(&used(attempt, &ada, &second, "$argon2id$x", NOW + HOUR)).await.unwrap(), None);
    assert_eq!(store.sweep_resets(NOW + HOUR).await.unwrap(), 1);
}
