//! The access of apps: withdrawals beside open codes, live grants, and documents that are forbidden in advance.

use crate::fixture::Fixture;
use crate::make::{DAY, NOW, entry, session, user};
use crate::oauth::{audit, new_code, redeem};
use domain::UnixMs;
use domain::ids::SessionId;
use store::audit::AuditEvent;
use store::oauth::NewCode;
use store::oauth_registrations::StoredDocument;

pub(crate) async fn a_withdrawal_deletes_open_codes_of_one_person_for_one_client(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let (mine, later) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let his = session(&*store, &bob, NOW).await;
    let (open, other_session, used) = (new_code(&mine), new_code(&later), new_code(&mine));
    let (of_bob, of_another) = (new_code(&his), NewCode { client: "another".to_owned(), ..new_code(&mine) });
    for code in [&open, &other_session, &used, &of_bob, &of_another] {
        assert!(store.add_code(code).await.unwrap());
    }
    assert!(store.redeem_code(&redeem(&used, NOW)).await.unwrap());
    let withdrawn = audit(AuditEvent::ConsentWithdrawn);
    assert!(store.withdraw_consent(&ada, "app", &withdrawn, NOW).await.unwrap());
    assert!(!store.withdraw_consent(&ada, "app", &withdrawn, NOW).await.unwrap(), "nothing is left");
    for code in [&open, &other_session] {
        assert!(!store.redeem_code(&redeem(code, NOW)).await.unwrap());
        assert!(store.code(&code.code_hash).await.unwrap().is_none());
    }
    assert!(store.code(&used.code_hash).await.unwrap().is_some(), "a used one is remembered");
    for code in [&of_bob, &of_another] {
        assert!(store.redeem_code(&redeem(code, NOW)).await.unwrap());
    }
}

pub(crate) async fn a_code_relies_on_the_consent_that_is_stored(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let relies = |scope: &str| NewCode { consent: Some(scope.to_owned()), ..new_code(&session) };
    assert!(!store.add_code(&relies("openid")).await.unwrap(), "nobody has consented");
    assert!(store.add_code(&NewCode { agreed: Some("openid".to_owned()), ..new_code(&session) }).await.unwrap());
    assert!(store.add_code(&relies("openid")).await.unwrap());
    assert!(!store.add_code(&relies("email openid")).await.unwrap(), "another one");
    let withdrawn = audit(AuditEvent::ConsentWithdrawn);
    assert!(store.withdraw_consent(&ada, "app", &withdrawn, NOW).await.unwrap());
    assert!(!store.add_code(&relies("openid")).await.unwrap(), "it was withdrawn meanwhile");
}

pub(crate) async fn nothing_stays_of_exchanges_and_withdrawals_at_once(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let session = session(&*one, &ada, NOW).await;
    for _ in 0..20 {
        let agreed = NewCode { agreed: Some("openid".to_owned()), ..new_code(&session) };
        assert!(one.add_code(&agreed).await.unwrap());
        let relying = NewCode { consent: Some("openid".to_owned()), ..new_code(&session) };
        let exchange = redeem(&agreed, NOW);
        let withdrawn = audit(AuditEvent::ConsentWithdrawn);
        let (_, _, gone) = tokio::join!(
            one.redeem_code(&exchange),
            one.add_code(&relying),
            two.withdraw_consent(&ada, "app", &withdrawn, NOW),
        );
        assert!(gone.unwrap());
        let grant = one.grant(&exchange.grant).await.unwrap();
        assert!(grant.is_none_or(|grant| !grant.is_live(NOW)));
        assert!(!one.redeem_code(&redeem(&agreed, NOW)).await.unwrap());
        assert!(!one.redeem_code(&redeem(&relying, NOW)).await.unwrap());
    }
}

pub(crate) async fn live_grants_of_a_person_are_listed(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let (mine, ended) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let his = session(&*store, &bob, NOW).await;
    let give = async |session: &SessionId, client: &str, now: UnixMs| {
        let code = NewCode { client: client.to_owned(), now, ..new_code(session) };
        let redeem = redeem(&code, now);
        assert!(store.add_code(&code).await.unwrap() && store.redeem_code(&redeem).await.unwrap());
        redeem.grant
    };
    give(&mine, "b", NOW + 1).await;
    give(&mine, "b", NOW).await;
    give(&mine, "a", NOW).await;
    let revoked = give(&mine, "revoked", NOW).await;
    give(&ended, "ended", NOW).await;
    give(&his, "his", NOW).await;
    assert!(store.revoke_grant(&revoked, None, NOW).await.unwrap());
    store.revoke(&ada, &ended, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap();
    let apps = store.clients_of_session(&mine).await.unwrap();
    let apps: Vec<_> = apps.iter().map(|app| (app.client.as_str(), app.notified)).collect();
    assert_eq!(apps, [("a", true), ("b", true), ("revoked", true)], "also after their access has ended");
    let listed = store.live_grants(&ada, NOW).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|grant| (grant.client.as_str(), grant.created_at)).collect();
    assert_eq!(listed, [("a", NOW), ("b", NOW), ("b", NOW + 1)]);
    assert!(store.live_grants(&ada, NOW + 2 * DAY).await.unwrap().is_empty(), "expired");
}

pub(crate) async fn a_document_is_forbidden_in_advance_until_it_is_enabled(fixture: Fixture) {
    let store = fixture.open().await;
    let document = StoredDocument {
        id: "doc".to_owned(),
        registration: "{}".to_owned(),
        fetched_at: NOW,
        expires_at: NOW,
        disabled_at: Some(NOW),
    };
    let changed = || audit(AuditEvent::ClientChanged);
    store.forbid_document(&document, &changed()).await.unwrap();
    store.sweep_oauth(NOW + 400 * DAY).await.unwrap();
    let found = store.document("doc", NOW + 400 * DAY).await.unwrap();
    assert_eq!(found.as_ref(), Some(&document));
    assert_eq!(store.documents(NOW + 400 * DAY).await.unwrap(), std::slice::from_ref(&document));
    let again = StoredDocument { registration: "other".to_owned(), disabled_at: Some(NOW + 1), ..document };
    store.forbid_document(&again, &changed()).await.unwrap();
    let stored = store.document("doc", NOW).await.unwrap().unwrap();
    assert_eq!((stored.registration.as_str(), stored.disabled_at), ("{}", Some(NOW + 1)), "what is stored stays");
    assert!(store.disable_document("doc", None, &changed()).await.unwrap());
    assert_eq!(store.document("doc", NOW).await.unwrap(), None, "enabled, it is as if it was never stored");
}
