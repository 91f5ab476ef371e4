use crate::fixture::Fixture;
use crate::make::{NOW, SECOND, entry, fresh, session, user};
use domain::UnixMs;
use domain::ids::SessionId;
use futures::future::join_all;
use store::Store;
use store::app_codes::{AppCode, MOST_OF_SESSION, UseCode};
use store::audit::AuditEvent;

const WIKI: &str = "https://wiki.example";
const LIFE: i64 = 30 * SECOND;

async fn code(store: &dyn Store, session: &SessionId) -> AppCode {
    let code = AppCode {
        code_hash: fresh("code"),
        app: WIKI.to_owned(),
        state_hash: "browser".to_owned(),
        session: session.to_owned(),
        place: "/page?a=b".to_owned(),
        expires_at: NOW + LIFE,
    };
    store.add_app_code(&code).await.unwrap();
    code
}

fn using(code: &AppCode, now: UnixMs) -> UseCode {
    UseCode {
        code_hash: code.code_hash.clone(),
        app: code.app.clone(),
        state_hash: code.state_hash.clone(),
        audit: entry(AuditEvent::AppOpened, None, now),
        now,
    }
}

pub(crate) async fn fifty_tasks_on_two_nodes_use_one_code(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let session = session(&*one, &ada, NOW).await;
    let code = code(&*one, &session).await;
    let tries = (0..50).map(|n| {
        let (store, using) = (if n % 2 == 0 { one.clone() } else { two.clone() }, using(&code, NOW));
        tokio::spawn(async move { store.use_app_code(&using).await.unwrap() })
    });
    let used: Vec<_> = join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(used.as_slice(), std::slice::from_ref(&code));
    let mut entries = one.audit_of(&ada, 10).await.unwrap();
    entries.retain(|entry| entry.event == AuditEvent::AppOpened);
    assert_eq!(entries.len(), 1, "written once, as the owner's: {entries:?}");
    assert_eq!(entries[0].session.as_ref(), Some(&session));
    assert_eq!(one.use_app_code(&using(&code, NOW)).await.unwrap(), None, "replayed");
}

pub(crate) async fn are_good_for_one_app_one_browser_and_half_a_minute(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let code = code(&*store, &session).await;
    let good = using(&code, NOW + LIFE - 1);
    for wrong in [
        UseCode { app: "https://shop.example".to_owned(), ..good.clone() },
        UseCode { state_hash: "another browser".to_owned(), ..good.clone() },
        UseCode { code_hash: fresh("code"), ..good.clone() },
        UseCode { now: NOW + LIFE, ..good.clone() },
    ] {
        assert_eq!(store.use_app_code(&wrong).await.unwrap(), None, "{wrong:?}");
    }
    assert_eq!(store.sweep_app_codes(NOW + LIFE - 1).await.unwrap(), 0);
    assert_eq!(store.use_app_code(&good).await.unwrap(), Some(code));
}

pub(crate) async fn end_with_their_session(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let code = code(&*store, &session).await;
    store.revoke(&ada, &session, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap();
    assert_eq!(store.use_app_code(&using(&code, NOW)).await.unwrap(), None);
    assert_eq!(store.sweep_app_codes(NOW + LIFE).await.unwrap(), 1);
}

pub(crate) async fn are_few_of_a_session_and_the_oldest_give_way(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let (mine, other) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let kept = code(&*store, &other).await;
    let mut codes = Vec::new();
    for later in 0..MOST_OF_SESSION + 2 {
        let code = AppCode {
            code_hash: fresh("code"),
            app: WIKI.to_owned(),
            state_hash: "browser".to_owned(),
            session: mine.clone(),
            place: "/".to_owned(),
            expires_at: NOW + LIFE + later,
        };
        store.add_app_code(&code).await.unwrap();
        codes.push(code);
    }
    for (number, code) in codes.iter().enumerate() {
        let used = store.use_app_code(&using(code, NOW)).await.unwrap();
        assert_eq!(used.is_some(), number >= 2, "{number}");
    }
    assert!(store.use_app_code(&using(&kept, NOW)).await.unwrap().is_some(), "another session's");
}
