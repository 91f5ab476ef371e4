//! Payments that are counted first, and fetched later.

use crate::fixture::Fixture;
use crate::make::{HOUR, NOW};
use crate::toll::{HEIGHT, PRICE, at, chain, minted, payment};
use std::collections::HashSet;
use store::toll::{PaymentId, Redemption, RedemptionOutcome, TransactionStatus};

pub(crate) async fn are_fetched_by_the_holder_of_the_offer(fixture: Fixture) {
    let store = fixture.open().await;
    let (first, second) = (payment("offer", "tx1", 400), payment("offer", "tx2", 600));
    let fetch = async |now| store.redeem_counted(&Redemption { now, ..payment("offer", "", 0) }).await.unwrap();
    assert_eq!(fetch(NOW).await, RedemptionOutcome::Underpaid { have: 0, need: PRICE });
    for _ in 0..2 {
        assert_eq!(store.count_payment(&first).await.unwrap(), None);
    }
    assert_eq!(fetch(NOW).await, RedemptionOutcome::Underpaid { have: 400, need: PRICE });
    assert_eq!(store.count_payment(&second).await.unwrap(), None);
    assert_eq!(store.toll_token("offer").await.unwrap(), None, "its time begins when somebody comes for it");
    let RedemptionOutcome::Minted(token) = fetch(NOW + HOUR).await else { panic!() };
    assert_eq!((token.minted_at, token.expires_at, token.provisional), (NOW + HOUR, NOW + 2 * HOUR, true));
    assert_eq!(fetch(NOW + 3 * HOUR).await, RedemptionOutcome::Minted(token.clone()));
    // The same payment, presented with a proof as well.
    assert_eq!(minted(&*store, &first).await, token);
    let thief = Redemption { challenge: "theirs".to_owned(), ..first.clone() };
    assert_eq!(store.count_payment(&thief).await.unwrap(), Some(RedemptionOutcome::Taken));
    assert_eq!(store.redeem(&thief).await.unwrap(), RedemptionOutcome::Taken);
    assert_eq!(store.payments_for("offer").await.unwrap().len(), 2);

    let burnt = Redemption { outputs: first.outputs.clone(), ..payment("burnt", "tx3", PRICE) };
    assert_eq!(store.count_payment(&burnt).await.unwrap(), Some(RedemptionOutcome::Burnt));
    let late = Redemption { now: NOW + HOUR, ..payment("late", "tx4", PRICE) };
    assert_eq!(store.count_payment(&late).await.unwrap(), Some(RedemptionOutcome::Late));
    for challenge in ["burnt", "late"] {
        assert_eq!(store.payments_for(challenge).await.unwrap(), []);
    }
    // First in a block, and then gone.
    assert_eq!(store.count_payment(&at(HEIGHT, &second, HEIGHT + 1)).await.unwrap(), None);
    store.observe("tx1", TransactionStatus::Gone, chain(HEIGHT + 1)).await.unwrap();
    let found: HashSet<_> =
        store.payments_for("offer").await.unwrap().iter().map(|p| (p.block, p.gone_at.is_some())).collect();
    assert_eq!(found, HashSet::from([(None, true), (Some(HEIGHT), false)]));
}

pub(crate) async fn are_listed_in_turns_while_no_block_has_them(fixture: Fixture) {
    let store = fixture.open().await;
    for name in ["d", "b", "a", "c", "mined", "gone"] {
        store.redeem(&payment(name, name, 5)).await.unwrap();
    }
    store
        .redeem(&Redemption {
            payment: PaymentId { subaddress: 8, ..payment("", "a", 5).payment },
            ..payment("a2", "a", 5)
        })
        .await
        .unwrap();
    store.observe("mined", TransactionStatus::Block(HEIGHT), chain(HEIGHT + 1)).await.unwrap();
    store.observe("gone", TransactionStatus::Gone, chain(HEIGHT + 1)).await.unwrap();
    let lost = chain(HEIGHT + 1).now;
    let listed = async |after, lost_since| {
        let waiting = store.in_no_block(after, lost_since, 3).await.unwrap();
        waiting.into_iter().map(|waiting| (waiting.txid, waiting.gone)).collect::<Vec<_>>()
    };
    let named =
        |names: &[(&str, bool)]| names.iter().map(|(name, gone)| ((*name).to_owned(), *gone)).collect::<Vec<_>>();
    assert_eq!(listed("", lost).await, named(&[("a", false), ("b", false), ("c", false)]));
    assert_eq!(listed("c", lost).await, named(&[("d", false), ("gone", true)]));
    assert_eq!(listed("c", lost + 1).await, named(&[("d", false)]), "gone for too long");
    assert_eq!(listed("gone", lost).await, []);
}
