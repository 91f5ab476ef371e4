//! A run ends at some step, and the next one continues with the stored state.

use super::payer::End;
use super::world::World;
use client::Error;
use client::toll::PaymentEvent;

fn sent_again(world: &World) -> bool {
    world.prompt.events.lock().iter().any(|event| matches!(event, PaymentEvent::SentAgain { .. }))
}

#[tokio::test]
async fn a_run_that_ends_at_any_step_pays_once() {
    for end in [End::Preparing, End::BeforeSending, End::AfterSending] {
        let world = World::new().await;
        *world.wallet.end.lock() = Some(end);
        assert!(matches!(world.get().await, Err(Error::Random)), "{end:?}");
        world.opens().await;
        assert_eq!(world.sent(), 1, "{end:?}");
        assert_eq!(sent_again(&world), end == End::BeforeSending, "{end:?}");
        assert!(world.account().await.payments.is_empty(), "{end:?}");
        assert!(!super::gate::kept(world.storage.folder()).contains("signed"), "dropped once it is redeemed: {end:?}");
    }
}

#[tokio::test]
async fn only_a_transaction_that_the_network_lost_is_sent_again() {
    let mut world = World::new().await;
    world.wait_seconds = 0;
    world.gate.set(|gate| gate.before = vec![super::gate::pending(0, 1)]);
    assert!(matches!(world.get().await, Err(Error::PaymentOnItsWay { .. })));
    world.wallet.network.lock().clear();
    world.wait_seconds = 600;
    // A run that ends while it asks changes nothing.
    *world.wallet.end.lock() = Some(End::Asking);
    assert!(world.get().await.is_err());
    world.opens().await;
    assert!(sent_again(&world));
    assert_eq!(*world.wallet.sent.lock(), ["tx1"]);
}

#[tokio::test]
async fn a_payment_that_no_node_takes_is_neither_forgotten_nor_replaced() {
    let world = World::new().await;
    *world.wallet.refused.lock() = true;
    assert!(matches!(world.get().await, Err(Error::Wallet(_))));
    for _ in 0..2 {
        assert!(matches!(world.get().await, Err(Error::PaymentStuck { .. })));
    }
    assert_eq!((world.sent(), world.account().await.payments.len()), (0, 1));
    *world.wallet.refused.lock() = false;
    world.opens().await;
    assert_eq!(*world.wallet.sent.lock(), ["tx1"]);
}

#[tokio::test]
async fn nothing_is_sent_for_an_offer_that_has_run_out() {
    let world = World::new().await;
    world.gate.set(|gate| gate.expires = super::gate::now() + 30);
    *world.wallet.end.lock() = Some(End::BeforeSending);
    assert!(world.get().await.is_err());
    for _ in 0..2 {
        assert!(matches!(world.get().await, Err(Error::PaymentUncertain { .. })));
    }
    assert_eq!((world.sent(), world.account().await.payments.len()), (0, 1));
    // It was sent in fact, by a node that was not queried.
    world.wallet.network.lock().push("tx1".to_owned());
    world.opens().await;
    assert_eq!(world.sent(), 0);
}

#[tokio::test]
async fn a_payment_of_an_earlier_version_is_never_taken_for_unsent() {
    let world = World::new().await;
    *world.wallet.end.lock() = Some(End::BeforeSending);
    assert!(world.get().await.is_err());
    world.without_proof();
    assert!(matches!(world.get().await, Err(Error::PaymentUncertain { .. })));
    assert_eq!((world.sent(), world.account().await.payments.len()), (0, 1));
    world.wallet.network.lock().push("tx1".to_owned());
    world.opens().await;
}

#[tokio::test]
async fn an_answer_that_gets_lost_is_asked_for_again() {
    let mut world = World::new().await;
    world.gate.set(|gate| gate.lost = 1);
    assert!(matches!(world.get().await, Err(Error::Foreign(_, 500))));
    world.without_wallet = true;
    world.opens().await;
    assert_eq!((world.sent(), world.gate.see(|gate| gate.redemptions)), (1, 2));
}

#[tokio::test]
async fn another_wallet_does_not_send_what_it_did_not_sign() {
    let world = World::new().await;
    *world.wallet.end.lock() = Some(End::BeforeSending);
    assert!(world.get().await.is_err());
    *world.wallet.name.lock() = "another".to_owned();
    assert!(matches!(world.get().await, Err(Error::OtherWallet { .. })));
    assert_eq!(world.account().await.payments.len(), 1);
    *world.wallet.name.lock() = "mine".to_owned();
    world.opens().await;
    assert_eq!(world.sent(), 1);
}
