use crate::fixture::Fixture;
use crate::make::{NOW, SECOND, entry};
use domain::UnixMs;
use domain::account::Role;
use store::audit::{AuditEvent, AuditSearch};
use store::services::Service;

fn service(name: &str, kid: &str, role: Option<Role>, now: UnixMs) -> Service {
    let jwk = format!("{{\"kid\":\"{kid}\"}}");
    Service { name: name.to_owned(), jwk, kid: kid.to_owned(), role, created_at: now, changed_at: now }
}

pub(crate) async fn are_added_changed_and_removed(fixture: Fixture) {
    let store = fixture.open().await;
    let set = || entry(AuditEvent::ServiceSet, None, NOW);
    let removed = || entry(AuditEvent::ServiceRemoved, None, NOW);
    let time = service("time", "one", None, NOW);
    assert_eq!(store.put_service(&time, &set()).await.unwrap(), time);
    let print = service("print-2", "two", Some(Role::Administrator), NOW);
    assert_eq!(store.put_service(&print, &set()).await.unwrap(), print);
    assert_eq!(store.services().await.unwrap(), [print.clone(), time.clone()], "by name");
    assert_eq!(store.service("time").await.unwrap(), Some(time.clone()));

    let other = service("time", "three", Some(Role::User), NOW + SECOND);
    let changed = Service { created_at: NOW, ..other.clone() };
    assert_eq!(store.put_service(&other, &set()).await.unwrap(), changed, "it is as old as it was");
    assert_eq!(store.service("time").await.unwrap(), Some(changed));

    assert!(store.remove_service("time", &removed()).await.unwrap());
    assert!(!store.remove_service("time", &removed()).await.unwrap());
    assert_eq!(store.service("time").await.unwrap(), None);
    assert_eq!(store.services().await.unwrap(), [print]);
    let trail = store.search_audit(&AuditSearch { limit: 10, ..AuditSearch::default() }).await.unwrap();
    assert_eq!(trail.len(), 4, "what did not happen is not in the trail");
}
