//! Payments without faults.

use super::gate::{PRICE, pending, problem};
use super::world::World;
use client::Error;
use client::toll::{Decision, PaymentEvent, Quote};

#[tokio::test]
async fn it_pays_once_and_uses_the_token_until_it_is_spent() {
    let world = World::new().await;
    world.opens().await;
    assert_eq!(world.account().await.tokens[0].left, 1);
    world.opens().await;
    assert_eq!((world.sent(), world.account().await.tokens[0].left), (1, 0));
    world.opens().await;
    assert_eq!((world.sent(), world.account().await.tokens.len()), (2, 1));
}

#[tokio::test]
async fn a_free_path_is_not_paid() {
    let world = World::new().await;
    let http = client::HttpClient::new(world.server()).unwrap();
    let url = world.gate.url().replace("/price", "/open");
    assert_eq!(http.fetch(&url).await.unwrap().status, 200);
    assert_eq!((world.sent(), super::gate::kept(world.storage.folder())), (0, String::new()));
}

#[tokio::test]
async fn it_waits_for_blocks_and_for_a_gate_that_cannot_look() {
    let world = World::new().await;
    world.gate.set(|gate| {
        let (unseen, busy) = (problem(404, "not_found"), problem(503, "node_unavailable"));
        gate.before = vec![unseen, busy, pending(0, 2), pending(1, 2)];
    });
    world.opens().await;
    assert_eq!((world.sent(), *world.prompt.waited.lock()), (1, 28));
    let paid = PaymentEvent::Paid { txid: "tx1".to_owned(), piconero: PRICE, fee: 30 };
    let seen = |have| PaymentEvent::Seen { have, need: 2, seconds: 7 };
    let redeemed = PaymentEvent::Redeemed { quota: 2, expires: 1_795_240_000, provisional: false };
    let event =
        [paid, PaymentEvent::NotSeen { seconds: 7 }, PaymentEvent::Busy { seconds: 7 }, seen(0), seen(1), redeemed];
    assert_eq!(*world.prompt.events.lock(), event);
}

#[tokio::test]
async fn the_wait_ends_and_the_payment_is_kept() {
    let mut world = World::new().await;
    world.wait_seconds = 10;
    world.gate.set(|gate| gate.before = vec![pending(0, 1), pending(0, 1)]);
    assert!(matches!(world.get().await, Err(Error::PaymentOnItsWay { .. })));
    world.without_wallet = true;
    world.opens().await;
    assert_eq!(world.sent(), 1);
    assert!(world.prompt.events.lock().contains(&PaymentEvent::Resumed { txid: "tx1".to_owned() }));
}

#[tokio::test]
async fn a_higher_price_needs_confirmation() {
    let mut world = World::new().await;
    world.max_pay = Some(PRICE - 1);
    assert!(matches!(world.get().await, Err(Error::NotAgreed(PRICE))));
    *world.prompt.answer.lock() = Some(false);
    assert!(matches!(world.get().await, Err(Error::NotAgreed(PRICE))));
    assert_eq!(world.sent(), 0);
    *world.prompt.answer.lock() = Some(true);
    world.opens().await;
    assert_eq!(world.sent(), 1);
}

#[tokio::test]
async fn a_dry_run_pays_nothing() {
    let mut world = World::new().await;
    let Quote::Pay { offer, fee, verdict } = world.quote().await.unwrap() else { panic!("it costs something") };
    assert_eq!((offer.piconero, fee, verdict), (PRICE, Some(30), Decision::Pay));
    world.max_pay = None;
    assert!(matches!(world.quote().await.unwrap(), Quote::Pay { verdict: Decision::Refuse, .. }));
    assert_eq!((world.sent(), super::gate::kept(world.storage.folder())), (0, String::new()));
    world.max_pay = Some(PRICE);
    world.opens().await;
    assert_eq!(world.quote().await.unwrap(), Quote::Token { left: 1 });
    assert_eq!(world.account().await.tokens[0].left, 1);
}

#[tokio::test]
async fn two_runs_at_once_pay_once() {
    let world = World::new().await;
    tokio::join!(world.opens(), world.opens());
    assert_eq!(world.sent(), 1);
}

#[tokio::test]
async fn an_offer_is_for_the_key_that_pays() {
    let mut world = World::new().await;
    world.opens().await;
    world.opens().await;
    // The first token is used up.
    world.opens().await;
    let offers = world.gate.see(|gate| gate.offers.clone());
    assert!(matches!(&offers[..], [None, Some(one), None, Some(other)] if one == other), "{offers:?}");

    // While a person decides, the nonce expires, and the request is repeated once.
    world = World::new().await;
    world.max_pay = None;
    *world.prompt.answer.lock() = Some(true);
    let gate = world.gate.clone();
    world.prompt.thinks = Some(Box::new(move || gate.set(|gate| gate.nonce = "the next nonce".to_owned())));
    world.opens().await;
    let offers = world.gate.see(|gate| gate.offers.clone());
    assert!(matches!(offers[..], [None, None, Some(_)]), "{offers:?}");
}
