use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, MINUTE, NOW, entry, fresh};
use domain::thumbprint::Thumbprint;
use std::collections::HashSet;
use std::sync::Arc;
use store::Store;
use store::audit::AuditEvent;
use store::toll::{
    ChainView, OfferTerms, PaymentId, Redemption, RedemptionOutcome, TokenChange, TollToken, TransactionStatus,
};

pub(crate) const PRICE: i64 = 1000;
pub(crate) const HEIGHT: i64 = 100;

/// Returns a payment in the pool, for an offer that accepts it from there.
pub(crate) fn payment(challenge: &str, txid: &str, piconero: i64) -> Redemption {
    let confirmations = vec![(0, 0), (10 * PRICE, 1), (100 * PRICE, 10)];
    Redemption {
        payment: PaymentId { txid: txid.to_owned(), account: 0, subaddress: 7 },
        challenge: challenge.to_owned(),
        route: "price".to_owned(),
        jkt: Some(Thumbprint::of("key")),
        piconero,
        outputs: vec![fresh("output")],
        block: None,
        height: HEIGHT,
        terms: OfferTerms { price: PRICE, quota: 100, ttl_ms: HOUR, confirmations, expires_at: NOW + HOUR },
        now: NOW,
    }
}

pub(crate) fn at(block: i64, redemption: &Redemption, height: i64) -> Redemption {
    Redemption { block: Some(block), height, ..redemption.clone() }
}

pub(crate) async fn minted(store: &dyn Store, redemption: &Redemption) -> TollToken {
    match store.redeem(redemption).await.unwrap() {
        RedemptionOutcome::Minted(token) => token,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn chain(height: i64) -> ChainView {
    ChainView { height, settled_after: 20, now: NOW + MINUTE }
}

pub(crate) async fn a_payment_becomes_one_token_however_often_it_is_shown(fixture: Fixture) {
    let store = fixture.open().await;
    let shown = payment("offer", "tx", PRICE);
    let token = minted(&*store, &shown).await;
    assert_eq!((token.id.as_str(), token.quota, token.used, token.remainder), ("offer", 100, 0, 0));
    assert_eq!((token.minted_at, token.expires_at, token.provisional), (NOW, NOW + HOUR, true));
    let later = Redemption { now: NOW + 2 * HOUR, ..shown.clone() };
    assert_eq!(minted(&*store, &later).await, token, "after its offer has run out, too");
    let others = Redemption { jkt: Some(Thumbprint::of("another")), ..shown.clone() };
    assert_eq!(store.redeem(&others).await.unwrap(), RedemptionOutcome::Taken);
    let elsewhere = Redemption { challenge: "other offer".to_owned(), ..shown.clone() };
    assert_eq!(store.redeem(&elsewhere).await.unwrap(), RedemptionOutcome::Taken);
    assert_eq!(store.toll_token("other offer").await.unwrap(), None);
    assert_eq!(store.toll_tokens(10).await.unwrap(), [token]);
    assert_eq!(store.payments_of("tx").await.unwrap().len(), 1);
}

pub(crate) async fn fifty_at_once_make_one_token(fixture: Fixture) {
    let (store, second) = (fixture.open().await, fixture.open().await);
    let shown = payment("offer", "tx", PRICE);
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &store } else { &second });
            // Half of them are thieves with the same payment and a key each.
            let thief = Redemption {
                jkt: Some(Thumbprint::of(&format!("thief {n}"))),
                challenge: format!("offer {n}"),
                ..shown.clone()
            };
            let shown = if n < 25 { shown.clone() } else { thief };
            tokio::spawn(async move { (shown.challenge.clone(), store.redeem(&shown).await.unwrap()) })
        })
        .collect();
    let mut winners = HashSet::new();
    for task in tasks {
        match task.await.unwrap() {
            (challenge, RedemptionOutcome::Minted(token)) => {
                assert_eq!(challenge, token.id);
                winners.insert(token.id);
            }
            (_, other) => assert_eq!(other, RedemptionOutcome::Taken),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.toll_tokens(100).await.unwrap().len(), 1);
    assert_eq!(store.payments_of("tx").await.unwrap().len(), 1);
}

pub(crate) async fn a_key_of_an_output_counts_once(fixture: Fixture) {
    let store = fixture.open().await;
    let first = Redemption { outputs: vec!["a".to_owned(), "b".to_owned()], ..payment("one", "tx1", PRICE) };
    minted(&*store, &first).await;
    let burnt = Redemption { outputs: vec!["c".to_owned(), "b".to_owned()], ..payment("two", "tx2", PRICE) };
    assert_eq!(store.redeem(&burnt).await.unwrap(), RedemptionOutcome::Burnt);
    assert_eq!(store.redeem(&burnt).await.unwrap(), RedemptionOutcome::Burnt, "and leaves nothing behind");
    let good = Redemption { outputs: vec!["c".to_owned()], ..payment("three", "tx3", PRICE) };
    minted(&*store, &good).await;
}

pub(crate) async fn payments_for_one_offer_add_up(fixture: Fixture) {
    let store = fixture.open().await;
    let (first, second) = (payment("offer", "tx1", 400), payment("offer", "tx2", 2700));
    let short = RedemptionOutcome::Underpaid { have: 400, need: PRICE };
    assert_eq!(store.redeem(&first).await.unwrap(), short);
    assert_eq!(store.redeem(&first).await.unwrap(), short, "shown twice it counts once");
    let token = minted(&*store, &second).await;
    assert_eq!((token.quota, token.remainder), (300, 100), "3,100 are three prices and something");
    assert_eq!(minted(&*store, &first).await, token);

    // A later payment gives more requests and more time.
    store.use_token("offer", 250).await.unwrap();
    let third = Redemption { now: NOW + MINUTE, ..payment("offer", "tx3", 900) };
    let more = minted(&*store, &third).await;
    assert_eq!((more.quota, more.used, more.expires_at), (400, 250, NOW + MINUTE + HOUR));
}

pub(crate) async fn more_money_waits_for_more_blocks(fixture: Fixture) {
    let store = fixture.open().await;
    let ten = payment("ten", "tx1", 10 * PRICE);
    assert_eq!(store.redeem(&ten).await.unwrap(), RedemptionOutcome::Pending { have: 0, need: 1 });
    assert_eq!(store.toll_token("ten").await.unwrap(), None);
    let token = minted(&*store, &Redemption { now: NOW + 2 * HOUR, ..at(HEIGHT, &ten, HEIGHT + 1) }).await;
    assert!(!token.provisional, "and seen in time it is good later");
    assert_eq!(token.expires_at, NOW + 3 * HOUR);

    let hundred = payment("hundred", "tx2", 100 * PRICE);
    for (height, have) in [(HEIGHT + 1, 1), (HEIGHT + 9, 9)] {
        let pending = RedemptionOutcome::Pending { have, need: 10 };
        assert_eq!(store.redeem(&at(HEIGHT, &hundred, height)).await.unwrap(), pending);
    }
    minted(&*store, &at(HEIGHT, &hundred, HEIGHT + 10)).await;

    // Many small payments count as one large one.
    for n in 0..9 {
        minted(&*store, &payment("sum", &format!("s{n}"), PRICE)).await;
    }
    let last = payment("sum", "s9", PRICE);
    assert_eq!(store.redeem(&last).await.unwrap(), RedemptionOutcome::Pending { have: 0, need: 1 });
}

pub(crate) async fn a_counted_payment_is_answered_again_without_a_node(fixture: Fixture) {
    let store = fixture.open().await;
    let shown = payment("offer", "tx", 10 * PRICE);
    let again = |height| Redemption { piconero: 0, outputs: Vec::new(), block: None, height, ..shown.clone() };
    assert_eq!(store.redeem_again(&again(HEIGHT)).await.unwrap(), None, "not yet");
    assert_eq!(store.redeem(&shown).await.unwrap(), RedemptionOutcome::Pending { have: 0, need: 1 });
    let pending = Some(RedemptionOutcome::Pending { have: 0, need: 1 });
    assert_eq!(store.redeem_again(&again(HEIGHT + 5)).await.unwrap(), pending);
    let thief = Redemption { jkt: Some(Thumbprint::of("another")), ..again(HEIGHT) };
    assert_eq!(store.redeem_again(&thief).await.unwrap(), Some(RedemptionOutcome::Taken));

    store.observe("tx", TransactionStatus::Block(HEIGHT), chain(HEIGHT + 1)).await.unwrap();
    let Some(RedemptionOutcome::Minted(token)) = store.redeem_again(&again(HEIGHT + 1)).await.unwrap() else {
        panic!()
    };
    assert_eq!((token.quota, token.provisional), (1000, false));
    // An unknown height takes nothing back.
    assert_eq!(store.redeem_again(&again(0)).await.unwrap(), Some(RedemptionOutcome::Minted(token)));
    store.observe("tx", TransactionStatus::Gone, chain(HEIGHT + 1)).await.unwrap();
    assert_eq!(store.redeem_again(&again(HEIGHT + 1)).await.unwrap(), None);
}

pub(crate) async fn a_payment_that_comes_too_late_counts_for_nothing(fixture: Fixture) {
    let store = fixture.open().await;
    let late = Redemption { now: NOW + HOUR, ..payment("offer", "tx", PRICE) };
    assert_eq!(store.redeem(&late).await.unwrap(), RedemptionOutcome::Late);
    assert_eq!(store.payments_of("tx").await.unwrap(), []);
    let fresh = Redemption { challenge: "new offer".to_owned(), ..late };
    let terms = OfferTerms { expires_at: NOW + 2 * HOUR, ..fresh.terms.clone() };
    minted(&*store, &Redemption { terms, ..fresh }).await;
}

pub(crate) async fn tokens_sleep_while_a_payment_is_gone(fixture: Fixture) {
    let store = fixture.open().await;
    minted(&*store, &payment("offer", "tx1", PRICE)).await;
    minted(&*store, &payment("offer", "tx2", PRICE)).await;
    minted(&*store, &payment("other", "tx3", PRICE)).await;
    let unsettled: HashSet<_> = store.unsettled().await.unwrap().into_iter().collect();
    assert_eq!(unsettled.len(), 3);
    let awake = async || store.toll_token("offer").await.unwrap().unwrap().is_awake();

    assert_eq!(store.observe("tx1", TransactionStatus::Gone, chain(HEIGHT)).await.unwrap(), ["offer"]);
    assert_eq!(store.observe("tx2", TransactionStatus::Gone, chain(HEIGHT)).await.unwrap(), [""; 0]);
    assert!(!awake().await && store.toll_token("other").await.unwrap().unwrap().is_awake());
    assert_eq!(store.observe("tx1", TransactionStatus::Pool, chain(HEIGHT)).await.unwrap(), [""; 0]);
    assert!(!awake().await, "one of them is still gone");
    assert_eq!(store.observe("tx2", TransactionStatus::Block(HEIGHT), chain(HEIGHT + 1)).await.unwrap(), ["offer"]);
    let token = store.toll_token("offer").await.unwrap().unwrap();
    assert!(token.is_awake() && token.provisional, "the first is in the pool");
    store.observe("tx1", TransactionStatus::Block(HEIGHT + 1), chain(HEIGHT + 2)).await.unwrap();
    assert!(!store.toll_token("offer").await.unwrap().unwrap().provisional);
    // The chain lost its last blocks.
    assert_eq!(store.observe("tx1", TransactionStatus::Pool, chain(HEIGHT)).await.unwrap(), ["offer"]);
    assert!(store.toll_token("offer").await.unwrap().unwrap().provisional);

    store.observe("tx2", TransactionStatus::Block(HEIGHT), chain(HEIGHT + 20)).await.unwrap();
    assert!(!store.unsettled().await.unwrap().contains(&"tx2".to_owned()), "deep enough");
}

pub(crate) async fn nothing_is_used_past_the_quota(fixture: Fixture) {
    let store = fixture.open().await;
    minted(&*store, &payment("offer", "tx", PRICE)).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.use_token("offer", 3).await.unwrap().unwrap().used })
        })
        .collect();
    let mut most = 0;
    for task in tasks {
        most = most.max(task.await.unwrap());
    }
    assert_eq!(most, 100);
    assert_eq!(store.use_token("nothing", 1).await.unwrap(), None);
}

pub(crate) async fn an_administrator_takes_a_token_back(fixture: Fixture) {
    let store = fixture.open().await;
    let shown = payment("offer", "tx", PRICE);
    minted(&*store, &shown).await;
    let entry = entry(AuditEvent::TollRevoked, None, NOW);
    let written = async || {
        let search = store::audit::AuditSearch { event: Some(AuditEvent::TollRevoked), limit: 9, ..Default::default() };
        store.search_audit(&search).await.unwrap().len()
    };
    let change = async |change| {
        let entry = store::audit::AuditEntry { id: fresh("entry"), ..entry.clone() };
        store.change_toll_token("offer", change, &entry).await.unwrap()
    };
    assert!(!change(TokenChange::Resume).await);
    assert!(change(TokenChange::Suspend).await && !change(TokenChange::Suspend).await);
    store.observe("tx", TransactionStatus::Pool, chain(HEIGHT)).await.unwrap();
    assert!(
        !store.toll_token("offer").await.unwrap().unwrap().is_awake(),
        "the watcher wakes only what it put to sleep"
    );
    assert!(change(TokenChange::Resume).await);
    assert!(store.toll_token("offer").await.unwrap().unwrap().is_awake());
    assert!(change(TokenChange::Revoke).await && !change(TokenChange::Revoke).await);
    assert!(!change(TokenChange::Resume).await && !change(TokenChange::Suspend).await, "that is for good");
    assert_eq!(written().await, 3, "what changed nothing is not in the trail");
    assert!(!minted(&*store, &shown).await.is_awake(), "and the payment does not bring it back");
}

pub(crate) async fn days_are_summed_up_by_route(fixture: Fixture) {
    let store = fixture.open().await;
    let today = NOW.as_millis() / DAY;
    for (day, route, count) in [(today, "price", 3), (today, "price", 4), (today - 1, "price", 9), (today, "free", 1)] {
        store.count_challenges(day, route, count).await.unwrap();
    }
    minted(&*store, &payment("one", "tx1", PRICE)).await;
    store.redeem(&payment("two", "tx2", 5)).await.unwrap();
    let days = store.toll_days(today).await.unwrap();
    let found: Vec<_> =
        days.iter().map(|day| (day.route.as_str(), day.challenges, day.payments, day.piconero)).collect();
    assert_eq!(found, [("free", 1, 0, 0), ("price", 7, 2, PRICE + 5)]);
    assert_eq!(store.toll_days(today - 1).await.unwrap().len(), 3);
    let all = store.toll_payments(10).await.unwrap();
    assert_eq!(all.iter().map(|payment| payment.piconero).sum::<i64>(), PRICE + 5);
}
