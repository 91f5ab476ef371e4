use crate::fixture::Fixture;
use crate::keys::key;
use crate::make::{NOW, entry, new_user, user};
use futures::future::join_all;
use store::Error;
use store::audit::{AuditEvent, AuditSearch};
use store::keys::KeyKind;
use store::sealed::sealer;

pub(crate) async fn a_value_is_resealed_only_as_it_was(fixture: Fixture) {
    let store = fixture.open().await;
    let mut old = key(KeyKind::Signing, NOW);
    "without-a-name".clone_into(&mut old.sealed);
    assert!(store.add_key(&old, None, None).await.unwrap());
    assert!(store.add_key(&key(KeyKind::Envelope, NOW), None, None).await.unwrap());
    let mut values = store.sealed_by_others("sealer02", 10).await.unwrap();
    values.sort_by(|a, b| a.place.cmp(&b.place));
    assert_eq!(values.len(), 2);
    assert_eq!(values[1].place, format!("keys/signing/{}", old.kid));
    assert_eq!((sealer(&values[0].sealed), sealer(&values[1].sealed)), ("sealer01", ""));
    assert_eq!(store.sealed_by_others("sealer01", 10).await.unwrap(), values[1..]);
    assert_eq!(store.sealed_by_others("sealer02", 1).await.unwrap().len(), 1, "no more than asked for");
    for value in &values {
        assert!(store.reseal(value, "sealer02.again").await.unwrap());
        assert!(!store.reseal(value, "sealer02.late").await.unwrap(), "it has changed");
    }
    assert!(store.sealed_by_others("sealer02", 10).await.unwrap().is_empty());
    assert!(store.keys().await.unwrap().iter().all(|key| key.sealed == "sealer02.again"));
    assert!(store.erase_key(&old.kid, "").await.unwrap());
    assert_eq!(store.sealed_by_others("sealer03", 10).await.unwrap().len(), 1, "what is erased has nothing to open");
}

pub(crate) async fn peoples_own_keys_are_among_them(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let values = store.sealed_by_others("sealer02", 10).await.unwrap();
    assert_eq!(values.iter().map(|value| value.place.as_str()).collect::<Vec<_>>(), [format!("user_keys/{ada}/1")]);
    assert!(store.reseal(&values[0], "sealer02.again").await.unwrap());
    assert!(!store.reseal(&values[0], "sealer02.late").await.unwrap());
    assert_eq!(store.user_key(&ada, 1).await.unwrap().unwrap().key.0, "sealer02.again");
    let retired = sealer(&new_user("bob").key.0).to_owned();
    store.retire_sealers(&[retired], &entry(AuditEvent::KeysRewrapped, None, NOW), NOW).await.unwrap();
    assert!(matches!(store.add_user(&new_user("bob")).await, Err(Error::OldSealer)));
    assert_eq!(store.user_count().await.unwrap(), 1, "nothing of the account was written");
}

/// In any order, a value under the retired key is either written before the retirement and visible, or not written at
/// all.
pub(crate) async fn nothing_is_written_behind_the_back_of_a_retirement(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let adding: Vec<_> = (0..60)
        .map(|n| {
            let store = if n % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move {
                let before = store::keys::line(KeyKind::Signing, &store.keys().await.unwrap());
                let newest = before.newest().map(|key| key.kid.clone());
                store.add_key(&key(KeyKind::Signing, NOW + n), newest.as_deref(), None).await
            })
        })
        .collect();
    let audit = entry(AuditEvent::KeysRewrapped, None, NOW);
    one.retire_sealers(&["sealer01".to_owned()], &audit, NOW).await.unwrap();
    let seen = two.sealed_by_others("sealer02", 1000).await.unwrap();
    for answer in join_all(adding).await {
        assert!(matches!(answer.unwrap(), Ok(_) | Err(Error::OldSealer)));
    }
    assert_eq!(two.sealed_by_others("sealer02", 1000).await.unwrap().len(), seen.len());
    assert!(matches!(one.add_key(&key(KeyKind::Mac, NOW), None, None).await, Err(Error::OldSealer)));
    let again = entry(AuditEvent::KeysRewrapped, None, NOW);
    two.retire_sealers(&["sealer01".to_owned()], &again, NOW).await.unwrap();
    assert_eq!(two.retired_sealers().await.unwrap(), ["sealer01"]);
    let trail = one.search_audit(&AuditSearch { limit: 9, ..AuditSearch::default() }).await.unwrap();
    assert_eq!(trail.len(), 1, "it was retired once");
}
