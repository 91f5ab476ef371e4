use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, NOW};
use crate::toll::{PRICE, payment};
use domain::UnixMs;
use domain::allowance::Allowance;
use std::sync::Arc;
use store::gates::Gate;
use store::toll::{Redemption, RedemptionOutcome};

const MONTH: i64 = 30 * DAY;

pub(crate) async fn count_requests_for_nothing_across_restarts(fixture: Fixture) {
    let two = Allowance { count: 2, span_ms: MONTH };
    let store = fixture.open().await;
    assert_eq!(store.take_free("price", "alice", two, NOW).await.unwrap(), Ok(()));
    assert_eq!(store.take_free("price", "alice", two, NOW + 1).await.unwrap(), Ok(()));
    assert_eq!(store.take_free("price", "alice", two, NOW + DAY).await.unwrap(), Err(MONTH - DAY));
    // Other clients and other routes do not affect her requests.
    assert_eq!(store.take_free("price", "bob", two, NOW).await.unwrap(), Ok(()));
    assert_eq!(store.take_free("open", "alice", two, NOW).await.unwrap(), Ok(()));
    drop(store);
    let store = fixture.open().await;
    assert_eq!(store.sweep_gates(NOW + 29 * DAY, NOW).await.unwrap(), 0);
    assert_eq!(store.take_free("price", "alice", two, NOW + 29 * DAY).await.unwrap(), Err(DAY));
    assert_eq!(store.take_free("price", "alice", two, NOW + MONTH).await.unwrap(), Ok(()));
    assert_eq!(store.take_free("price", "alice", two, NOW + MONTH).await.unwrap(), Ok(()));
    assert_eq!(store.take_free("price", "alice", two, NOW + MONTH).await.unwrap(), Err(MONTH));
    // A client whose requests are all available again has no row.
    assert_eq!(store.sweep_gates(NOW + 2 * MONTH, NOW).await.unwrap(), 3);
    assert_eq!(store.take_free("price", "alice", two, NOW + 2 * MONTH).await.unwrap(), Ok(()));
}

pub(crate) async fn give_no_request_for_nothing_twice_at_once(fixture: Fixture) {
    let (store, second) = (fixture.open().await, fixture.open().await);
    let seven = Allowance { count: 7, span_ms: DAY };
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &store } else { &second });
            tokio::spawn(async move { store.take_free("price", "alice", seven, NOW).await.unwrap().is_ok() })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += usize::from(task.await.unwrap());
    }
    assert_eq!(taken, 7);
}

pub(crate) async fn list_payments_that_came_too_late(fixture: Fixture) {
    let store = fixture.open().await;
    let late = Redemption { now: NOW + HOUR, ..payment("offer", "tx", PRICE) };
    for shown in [late.clone(), Redemption { now: NOW + 2 * HOUR, ..late.clone() }] {
        assert_eq!(store.redeem(&shown).await.unwrap(), RedemptionOutcome::Late);
    }
    let counted = Redemption { now: NOW + 2 * HOUR, ..payment("offer", "tx2", 5) };
    assert_eq!(store.count_payment(&counted).await.unwrap(), Some(RedemptionOutcome::Late));
    let listed = store.late_payments(10).await.unwrap();
    let found: Vec<_> = listed.iter().map(|p| (p.id.txid.as_str(), p.piconero, p.seen_at, p.ended_at)).collect();
    assert_eq!(found, [("tx2", 5, NOW + 2 * HOUR, NOW + HOUR), ("tx", PRICE, NOW + HOUR, NOW + HOUR)]);
    assert_eq!(store.late_payments(1).await.unwrap().len(), 1);
    assert_eq!(store.toll_days(0).await.unwrap(), [], "it is no revenue");
    // The node has seen it in time.
    let mut in_time = late;
    in_time.terms.expires_at = UnixMs::MAX;
    assert!(matches!(store.redeem(&in_time).await.unwrap(), RedemptionOutcome::Minted(_)));
    let left: Vec<_> = store.late_payments(10).await.unwrap().into_iter().map(|late| late.id.txid).collect();
    assert_eq!(left, ["tx2"]);
}

pub(crate) async fn are_known_while_they_say_so(fixture: Fixture) {
    let store = fixture.open().await;
    let gate = |id: &str, heard_at, chain: &str| Gate {
        id: id.to_owned(),
        started_at: NOW,
        heard_at,
        routes: format!("[\"{id}\"]"),
        chain: chain.to_owned(),
    };
    store.announce_gate(&gate("one", NOW, "seen")).await.unwrap();
    store.announce_gate(&gate("two", NOW + 1, "seen")).await.unwrap();
    store.announce_gate(&gate("one", NOW + 5, "away")).await.unwrap();
    assert_eq!(store.gates(NOW + 1).await.unwrap(), [gate("one", NOW + 5, "away"), gate("two", NOW + 1, "seen")]);
    assert_eq!(store.gates(NOW + 2).await.unwrap().len(), 1);
    store.end_gate("one").await.unwrap();
    assert_eq!(store.sweep_gates(NOW, NOW + 1).await.unwrap(), 0);
    assert_eq!(store.sweep_gates(NOW, NOW + 2).await.unwrap(), 1);
    assert_eq!(store.gates(UnixMs::EPOCH).await.unwrap(), []);
}
