use crate::fixture::Fixture;
use crate::make::{NOW, entry};
use store::audit::{Entry, Event};

pub async fn newest_first_and_no_more_than_asked_for(fixture: Fixture) {
    let store = fixture.open().await;
    let mut written = Vec::new();
    for (n, event) in Event::ALL.iter().enumerate() {
        // Two in each millisecond: their ids order them.
        let at = NOW + i64::try_from(n / 2).unwrap();
        let entry = Entry { session: (n % 2 == 0).then(|| format!("s{n}")), ..entry(*event, Some("ada"), at) };
        store.append(&entry).await.unwrap();
        written.insert(0, entry);
    }
    store.append(&entry(Event::Login, Some("bob"), NOW)).await.unwrap();
    store.append(&entry(Event::Login, None, NOW)).await.unwrap();
    assert_eq!(store.audit_of("ada", 100).await.unwrap(), written);
    assert_eq!(store.audit_of("ada", 3).await.unwrap(), written[..3]);
    assert!(store.audit_of("ada", 0).await.unwrap().is_empty());
    assert!(store.audit_of("nobody", 10).await.unwrap().is_empty());
}

pub async fn odd_entries_are_refusals_and_reuse(fixture: Fixture) {
    let store = fixture.open().await;
    let refused = |at| Entry { outcome: "invalid_credentials".to_owned(), ..entry(Event::Login, Some("ada"), at) };
    for entry in [
        refused(NOW),
        refused(NOW - 1),
        entry(Event::Login, Some("ada"), NOW),
        entry(Event::TokenReused, Some("ada"), NOW + 1),
        entry(Event::TokenReused, Some("bob"), NOW + 1),
    ] {
        store.append(&entry).await.unwrap();
    }
    assert_eq!(store.odd_entries("ada", NOW).await.unwrap(), 2);
    assert_eq!(store.odd_entries("ada", NOW + 1).await.unwrap(), 1);
    assert_eq!(store.odd_entries("ada", NOW + 2).await.unwrap(), 0);
}
