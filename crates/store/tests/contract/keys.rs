use crate::fixture::Fixture;
use crate::make::{DAY, MINUTE, NOW, entry, fresh};
use domain::UnixMs;
use futures::future::join_all;
use store::audit::{AuditEvent, AuditSearch};
use store::keys::{KeyKind, KeyRevocation, RevokeKeyOutcome, StoredKey};

pub(crate) fn key(kind: KeyKind, used_from: UnixMs) -> StoredKey {
    let sealed = format!("sealer01.{}", fresh("sealed"));
    StoredKey {
        kid: fresh("kid"),
        kind,
        alg: "ES256".into(),
        sealed,
        public_half: String::new(),
        created_at: used_from,
        used_from,
        revoked_at: None,
    }
}

pub(crate) fn revocation(key: &StoredKey, now: UnixMs) -> KeyRevocation {
    KeyRevocation {
        kind: key.kind,
        kid: key.kid.clone(),
        successor: self::key(key.kind, now),
        audit: entry(AuditEvent::ServerKeyRevoked, None, now),
        now,
    }
}

pub(crate) async fn each_follows_the_last_of_its_kind(fixture: Fixture) {
    let store = fixture.open().await;
    assert!(store.keys().await.unwrap().is_empty());
    let mut kept = Vec::new();
    for kind in [KeyKind::Envelope, KeyKind::Signing, KeyKind::Mac] {
        let audit = entry(AuditEvent::ServerKeyRotated, None, NOW);
        let (first, second) = (key(kind, NOW), key(kind, NOW + DAY));
        assert!(!store.add_key(&first, Some("none"), None).await.unwrap(), "there is nothing to follow");
        assert!(store.add_key(&first, None, None).await.unwrap());
        assert!(!store.add_key(&key(kind, NOW), None, None).await.unwrap(), "there is one");
        assert!(store.add_key(&second, Some(&first.kid), Some(&audit)).await.unwrap());
        assert!(!store.add_key(&key(kind, NOW + DAY), Some(&first.kid), None).await.unwrap(), "it is not the last");
        kept.extend([first, second]);
    }
    let trail = store.search_audit(&AuditSearch { limit: 9, ..AuditSearch::default() }).await.unwrap();
    assert_eq!(trail.len(), 3, "the row is written with the key");
    let mut stored = store.keys().await.unwrap();
    stored.sort_by(|a, b| a.kid.cmp(&b.kid));
    assert_eq!(stored, kept);
}

pub(crate) async fn two_nodes_that_start_at_once_have_the_same_key(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    for (known, kind) in [KeyKind::Envelope, KeyKind::Signing, KeyKind::Mac].into_iter().enumerate() {
        let racers = (0..40).map(|n| {
            let store = if n % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { store.add_key(&key(kind, NOW), None, None).await.unwrap() })
        });
        let added = join_all(racers).await.into_iter().filter(|added| *added.as_ref().unwrap()).count();
        assert_eq!(added, 1);
        assert_eq!(one.keys().await.unwrap().len(), known + 1);
    }
    assert_eq!(two.keys().await.unwrap(), one.keys().await.unwrap());
}

pub(crate) async fn a_schedule_that_is_due_everywhere_makes_one_key(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let mut last = key(KeyKind::Signing, NOW);
    assert!(one.add_key(&last, None, None).await.unwrap());
    for round in 1..=5 {
        let racers = (0..20).map(|n| {
            let store = if n % 2 == 0 { one.clone() } else { two.clone() };
            let after = last.kid.clone();
            tokio::spawn(async move {
                let next = key(KeyKind::Signing, NOW + round * DAY);
                store.add_key(&next, Some(&after), None).await.unwrap().then_some(next)
            })
        });
        let added: Vec<_> = join_all(racers).await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(added.len(), 1, "{added:?}");
        last.clone_from(&added[0]);
    }
    assert_eq!(one.keys().await.unwrap().len(), 6);
}

pub(crate) async fn a_revoked_key_is_replaced_if_nothing_else_can_be_used(fixture: Fixture) {
    let store = fixture.open().await;
    let (first, next) = (key(KeyKind::Signing, NOW), key(KeyKind::Signing, NOW + DAY));
    assert!(store.add_key(&first, None, None).await.unwrap());
    assert!(store.add_key(&next, Some(&first.kid), None).await.unwrap());
    let wrong_kind = KeyRevocation { kind: KeyKind::Envelope, ..revocation(&first, NOW) };
    assert_eq!(store.revoke_key(&wrong_kind).await.unwrap(), RevokeKeyOutcome::Nothing);
    let one = revocation(&first, NOW + MINUTE);
    assert_eq!(store.revoke_key(&one).await.unwrap(), RevokeKeyOutcome::Done, "the next one steps in");
    assert_eq!(store.revoke_key(&one).await.unwrap(), RevokeKeyOutcome::Nothing);
    let other = revocation(&next, NOW + MINUTE);
    assert_eq!(store.revoke_key(&other).await.unwrap(), RevokeKeyOutcome::Replaced);
    let stored = store.keys().await.unwrap();
    assert_eq!(stored.len(), 3);
    let line = store::keys::line(KeyKind::Signing, &stored);
    assert_eq!(line.current(NOW + MINUTE).map(|key| &key.kid), Some(&other.successor.kid));
    assert!(store.erase_key(&first.kid, "{}").await.unwrap());
    assert!(!store.erase_key(&first.kid, "").await.unwrap());
    let stored = store.keys().await.unwrap();
    let erased = stored.iter().find(|key| key.kid == first.kid).unwrap();
    assert_eq!((erased.sealed.as_str(), erased.public_half.as_str()), ("", "{}"));
}

/// One revokes the key in use and the other one the waiting key, without knowledge of each other.
pub(crate) async fn one_administrator_remains_after_any_change(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    for round in 0..10 {
        let now = NOW + round * DAY;
        let before = store::keys::line(KeyKind::Signing, &one.keys().await.unwrap());
        let (first, next) = (key(KeyKind::Signing, now), key(KeyKind::Signing, now + 1000));
        assert!(one.add_key(&first, before.newest().map(|key| key.kid.as_str()), None).await.unwrap());
        assert!(one.add_key(&next, Some(&first.kid), None).await.unwrap());
        let tasks = [(one.clone(), first), (two.clone(), next)].map(|(store, key)| {
            tokio::spawn(async move { store.revoke_key(&revocation(&key, now + 1)).await.unwrap() })
        });
        let mut revoked: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        revoked.sort_by_key(|revoked| *revoked == RevokeKeyOutcome::Replaced);
        assert_eq!(revoked, [RevokeKeyOutcome::Done, RevokeKeyOutcome::Replaced]);
        let line = store::keys::line(KeyKind::Signing, &one.keys().await.unwrap());
        assert!(line.current(now + 1).is_some());
    }
}
