use crate::fixture::Fixture;
use crate::make::{NOW, fresh};
use futures::future::join_all;
use store::keys::{Kind, StoredKey};

fn key(kind: Kind) -> StoredKey {
    StoredKey { kid: fresh("kid"), kind, sealed: fresh("sealed"), created_at: NOW, retired_at: None }
}

pub async fn the_first_of_a_kind_stays(fixture: Fixture) {
    let store = fixture.open().await;
    assert!(store.keys().await.unwrap().is_empty());
    let retired = StoredKey { retired_at: Some(NOW), ..key(Kind::Signing) };
    assert!(store.add_key_if_none(&retired).await.unwrap());
    let mut kept = vec![retired];
    for kind in [Kind::Envelope, Kind::Signing, Kind::Mac] {
        kept.push(key(kind));
        assert!(store.add_key_if_none(kept.last().unwrap()).await.unwrap());
        assert!(!store.add_key_if_none(&key(kind)).await.unwrap());
    }
    let mut stored = store.keys().await.unwrap();
    stored.sort_by(|a, b| a.kid.cmp(&b.kid));
    assert_eq!(stored, kept);
}

pub async fn two_nodes_that_start_at_once_have_the_same_key(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    for (known, kind) in [Kind::Envelope, Kind::Signing, Kind::Mac].into_iter().enumerate() {
        let racers = (0..40).map(|n| {
            let store = if n % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { store.add_key_if_none(&key(kind)).await.unwrap() })
        });
        let added = join_all(racers).await.into_iter().filter(|added| *added.as_ref().unwrap()).count();
        assert_eq!(added, 1);
        assert_eq!(one.keys().await.unwrap().len(), known + 1);
    }
    assert_eq!(two.keys().await.unwrap(), one.keys().await.unwrap());
}
