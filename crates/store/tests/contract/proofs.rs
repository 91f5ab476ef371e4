use crate::fixture::Fixture;
use crate::make::{MINUTE, NOW, fresh};
use futures::future::join_all;
use store::proofs::UsedProof;

const LIFE: i64 = 5 * MINUTE;

fn proof(id: &str) -> UsedProof {
    UsedProof { id: id.to_owned(), expires_at: NOW + LIFE }
}

pub(crate) async fn fifty_tasks_on_two_nodes_use_one_proof(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let proof = proof(&fresh("proof"));
    let tries = (0..50).map(|n| {
        let (store, proof) = (if n % 2 == 0 { one.clone() } else { two.clone() }, proof.clone());
        tokio::spawn(async move { store.use_proof(&proof).await.unwrap() })
    });
    let used = join_all(tries).await.into_iter().filter(|first| *first.as_ref().unwrap()).count();
    assert_eq!(used, 1);
}

pub(crate) async fn are_distinct_and_swept_when_expired(fixture: Fixture) {
    let store = fixture.open().await;
    assert!(store.use_proof(&proof("one")).await.unwrap());
    assert!(store.use_proof(&proof("another")).await.unwrap());
    assert_eq!(store.sweep_proofs(NOW + LIFE - 1).await.unwrap(), 0);
    assert!(!store.use_proof(&proof("one")).await.unwrap());
    assert_eq!(store.sweep_proofs(NOW + LIFE).await.unwrap(), 2);
    assert!(store.use_proof(&proof("one")).await.unwrap());
}
