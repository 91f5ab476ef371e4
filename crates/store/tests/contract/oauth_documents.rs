use crate::fixture::Fixture;
use crate::make::{NOW, session, user};
use crate::oauth::{DAY, audit, new_code, redeem};
use domain::UnixMs;
use store::audit::AuditEvent;
use store::oauth::NewCode;
use store::oauth_registrations::{PutDocument, StoredDocument};

fn put(id: &str, at: UnixMs, most: u32) -> PutDocument {
    let registration = format!("{at}");
    let (fetched_at, expires_at) = (at, at + DAY);
    let document = StoredDocument { id: id.to_owned(), registration, fetched_at, expires_at, disabled_at: None };
    PutDocument { document, same_app: None, most }
}

pub(crate) async fn documents_are_replaced_and_bounded(fixture: Fixture) {
    let store = fixture.open().await;
    assert!(store.put_document(&put("a", NOW, 2)).await.unwrap().is_some());
    assert!(store.put_document(&put("a", NOW + 1, 2)).await.unwrap().is_some());
    assert_eq!(store.document("a", NOW).await.unwrap(), Some(put("a", NOW + 1, 2).document), "the newer one");
    assert_eq!(store.document("a", NOW + 1 + DAY).await.unwrap(), None, "expired");
    for (id, at) in [("b", NOW + 2), ("c", NOW + 3)] {
        assert!(store.put_document(&put(id, at, 2)).await.unwrap().is_some());
    }
    assert_eq!(store.document("a", NOW).await.unwrap(), None, "the oldest made room");
    assert!(store.document("b", NOW).await.unwrap().is_some() && store.document("c", NOW).await.unwrap().is_some());
    store.sweep_oauth(NOW + 2 + DAY).await.unwrap();
    assert_eq!(store.document("b", NOW).await.unwrap(), None);
}

pub(crate) async fn a_document_that_is_used_or_disabled_makes_no_room(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let code = NewCode { client: "used".to_owned(), ..new_code(&session) };
    assert!(store.add_code(&code).await.unwrap() && store.redeem_code(&redeem(&code, NOW)).await.unwrap());
    for id in ["used", "disabled", "a", "b"] {
        assert!(store.put_document(&put(id, NOW, 3)).await.unwrap().is_some(), "{id}");
        store.disable_document("disabled", Some(NOW), &audit(AuditEvent::ClientChanged)).await.unwrap();
    }
    let ids = |rows: Vec<StoredDocument>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.documents(NOW).await.unwrap()), ["b", "disabled", "used"]);
    let again = store.put_document(&put("disabled", NOW + 1, 3)).await.unwrap().expect("fetched again");
    assert_eq!(again.disabled_at, Some(NOW));
    assert_eq!(store.document("disabled", NOW).await.unwrap().unwrap().disabled_at, Some(NOW), "and still disabled");
    assert!(store.put_document(&put("new", NOW, 2)).await.unwrap().is_some(), "in place of the last unused one");
    store.disable_document("new", Some(NOW), &audit(AuditEvent::ClientChanged)).await.unwrap();
    assert_eq!(store.put_document(&put("newer", NOW, 2)).await.unwrap(), None, "nothing makes room");
    assert!(store.put_document(&put("used", NOW + 2, 2)).await.unwrap().is_some(), "a stored one is replaced");
    assert!(store.disable_document("used", None, &audit(AuditEvent::ClientChanged)).await.unwrap());
    assert!(!store.disable_document("nobody", None, &audit(AuditEvent::ClientChanged)).await.unwrap());
}

pub(crate) async fn a_document_of_another_app_asks_again(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let agree = async || {
        let agreed = Some("openid".to_owned());
        let code = NewCode { client: "doc".to_owned(), agreed, ..new_code(&session) };
        assert!(store.add_code(&code).await.unwrap());
    };
    let agreed = async || store.consent(&ada, "doc").await.unwrap().is_some();
    store.put_document(&put("doc", NOW, 9)).await.unwrap();
    agree().await;
    store.put_document(&put("doc", NOW, 9)).await.unwrap();
    assert!(agreed().await, "the very same");
    let same_app = Some(NOW.to_string());
    store.put_document(&PutDocument { same_app: same_app.clone(), ..put("doc", NOW + 1, 9) }).await.unwrap();
    assert!(agreed().await, "the same app");
    store.put_document(&PutDocument { same_app, ..put("doc", NOW + 2, 9) }).await.unwrap();
    assert!(!agreed().await, "somebody stored another one meanwhile");
    agree().await;
    store.put_document(&put("doc", NOW + 3, 9)).await.unwrap();
    assert!(!agreed().await);
}

pub(crate) async fn a_disabled_document_does_not_expire(fixture: Fixture) {
    let store = fixture.open().await;
    let late = NOW + 400 * DAY;
    for id in ["disabled", "other"] {
        store.put_document(&put(id, NOW, 9)).await.unwrap();
    }
    store.disable_document("disabled", Some(NOW), &audit(AuditEvent::ClientChanged)).await.unwrap();
    store.sweep_oauth(late).await.unwrap();
    let ids: Vec<_> = store.documents(late).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, ["disabled"]);
    assert!(store.document("disabled", late).await.unwrap().is_some());
    store.disable_document("disabled", None, &audit(AuditEvent::ClientChanged)).await.unwrap();
    assert_eq!(store.document("disabled", late).await.unwrap(), None, "enabled, it is as old as it is");
}

pub(crate) async fn a_document_is_removed_with_what_it_got(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let agreed = Some("openid".to_owned());
    let code = NewCode { client: "doc".to_owned(), agreed, ..new_code(&session) };
    let redeem = redeem(&code, NOW);
    assert!(store.add_code(&code).await.unwrap() && store.redeem_code(&redeem).await.unwrap());
    let kept = NewCode { client: "other".to_owned(), ..new_code(&session) };
    assert!(store.add_code(&kept).await.unwrap());
    store.put_document(&put("doc", NOW, 9)).await.unwrap();
    let removed = audit(AuditEvent::ClientRemoved);
    assert!(store.remove_document("doc", &removed, NOW).await.unwrap());
    assert!(!store.remove_document("doc", &removed, NOW).await.unwrap());
    assert_eq!(store.document("doc", NOW).await.unwrap(), None);
    assert_eq!(store.consent(&ada, "doc").await.unwrap(), None);
    assert!(!store.grant(&redeem.grant).await.unwrap().unwrap().is_live(NOW));
    assert!(store.code(&kept.code_hash).await.unwrap().is_some(), "and nothing of another client");
}
