use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, NOW, entry, rotation, session, token_hash, user};
use store::audit::AuditEvent;
use store::sessions::Rotation;

pub(crate) async fn moves_on_once(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let id = session(&*store, &ada, NOW).await;
    let then = NOW + HOUR;
    assert!(store.rotate(&rotation(&id, 0, then)).await.unwrap());
    assert!(!store.rotate(&rotation(&id, 0, then)).await.unwrap());
    let row = store.session(&id).await.unwrap().unwrap();
    assert_eq!(
        (row.life.generation, row.life.current, row.life.previous),
        (1, token_hash(&format!("{id}/1")), Some(token_hash(&format!("{id}/0"))))
    );
    assert_eq!((row.life.rotated_at, row.life.idle_at, row.used_at, row.created_at), (then, then + DAY, then, NOW));
    assert_eq!(row.address, "198.51.100.0/24");
    assert!(store.rotate(&rotation(&id, 1, then)).await.unwrap());
    assert_eq!(store.session(&id).await.unwrap().unwrap().life.previous, Some(token_hash(&format!("{id}/1"))));
}

pub(crate) async fn notes_the_newest_generation_that_was_shown(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let id = session(&*store, &ada, NOW).await;
    let used = async || store.session(&id).await.unwrap().unwrap().life.used;
    store.show_generation(&id, 1).await.unwrap();
    assert_eq!(used().await, 0, "there is no such generation yet");
    for generation in 0..3 {
        assert!(store.rotate(&rotation(&id, generation, NOW)).await.unwrap());
        assert_eq!(used().await, 0);
    }
    for (shown, expected) in [(2, 2), (1, 2), (3, 3), (2, 3), (4, 3)] {
        store.show_generation(&id, shown).await.unwrap();
        assert_eq!(used().await, expected, "{shown}");
    }
    store.show_generation(&"none".into(), 1).await.unwrap();
}

pub(crate) async fn is_refused_when_anything_else_is_current(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let (id, other) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let right = rotation(&id, 0, NOW);
    for wrong in [
        Rotation { from_generation: 1, ..right.clone() },
        Rotation { from_hash: token_hash("another"), ..right.clone() },
        Rotation { id: other.clone(), ..right.clone() },
        Rotation { id: "none".into(), ..right.clone() },
    ] {
        assert!(!store.rotate(&wrong).await.unwrap(), "{wrong:?}");
    }
    assert!(store.rotate(&right).await.unwrap());
}

pub(crate) async fn is_refused_when_the_session_is_over(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let id = session(&*store, &ada, NOW).await;
    assert!(!store.rotate(&rotation(&id, 0, NOW + DAY)).await.unwrap(), "idle");
    let busy = Rotation { idle_at: NOW + 90 * DAY, ..rotation(&id, 0, NOW) };
    assert!(store.rotate(&busy).await.unwrap());
    assert!(!store.rotate(&rotation(&id, 1, NOW + 30 * DAY)).await.unwrap(), "past its end");
    assert!(store.revoke(&ada, &id, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap());
    assert!(!store.rotate(&rotation(&id, 1, NOW)).await.unwrap(), "revoked");
}

pub(crate) async fn is_refused_when_the_user_is_disabled(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    assert!(
        store.set_disabled(&ada, true, &entry(AuditEvent::UserDisabled, Some(&ada), NOW), NOW).await.unwrap().is_done()
    );
    assert!(
        store.set_disabled(&ada, false, &entry(AuditEvent::UserEnabled, Some(&ada), NOW), NOW).await.unwrap().is_done()
    );
    let id = session(&*store, &ada, NOW).await;
    assert!(store.rotate(&rotation(&id, 0, NOW)).await.unwrap());
    assert!(
        store.set_disabled(&ada, true, &entry(AuditEvent::UserDisabled, Some(&ada), NOW), NOW).await.unwrap().is_done()
    );
    assert!(!store.rotate(&rotation(&id, 1, NOW)).await.unwrap());
}
