//! The client, a gate, a node and two wallets, all of them real.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod world;

use client::toll::{Payer, PaymentEvent, Quote, WalletPayer};
use regtest::RegtestNetwork;
use world::{PRICE, World};

/// Uses one network for all cases, because starting it takes longest.
#[tokio::test]
async fn a_real_wallet_pays_and_the_route_opens() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let before = regtest.payer.balance().await.unwrap();

    let quick = World::new(&regtest, 0).await;
    assert!(matches!(quick.quote().await, Quote::Pay { fee: Some(1..), .. }));
    assert_eq!(regtest.payer.balance().await.unwrap(), before, "asking pays nothing");
    quick.opens().await;
    let before_second = quick.asked();
    quick.opens().await;
    assert_eq!((quick.paid(), quick.arrived()), (1, 2), "the token is used again");
    assert_eq!(quick.asked() - before_second, 1, "with a MAC, which needs no nonce");

    // A payment that needs a block: one is mined while the client waits.
    let deep = World::new(&regtest, 1).await;
    deep.opens().await;
    assert_eq!((deep.paid(), deep.arrived()), (1, 1));
    let events = deep.events();
    assert!(events.iter().any(|event| matches!(event, PaymentEvent::Seen { have: 0, need: 1, .. })), "{events:?}");

    // The program ends after the payment has left the wallet.
    let broken = World::new(&regtest, 0).await;
    broken.breaks_after_sending();
    assert!(broken.get().await.is_err());
    broken.opens().await;
    assert_eq!((broken.paid(), broken.arrived()), (0, 1), "the next run pays nothing and redeems");

    // The program ends before that: no node knows the payment, so the same one is sent again.
    let early = World::new(&regtest, 0).await;
    early.breaks_before_sending();
    assert!(early.get().await.is_err());
    early.opens().await;
    assert!(early.events().iter().any(|event| matches!(event, PaymentEvent::SentAgain { .. })));
    assert_eq!(early.paid(), 0);

    regtest.mine(1).await.unwrap();
    regtest.merchant.refresh().await.unwrap();
    assert_eq!(regtest.merchant.balance().await.unwrap().balance, 4 * PRICE);
}

#[tokio::test]
async fn a_wallet_that_dies_unsaved_after_it_has_sent_is_not_asked_to_pay_again() {
    let mut regtest = RegtestNetwork::start().await.unwrap();
    // Once with the payment still in the pool, and once with it in a block before the next query.
    for mined in [false, true] {
        let world = World::new(&regtest, 0).await;
        world.wallet_dies_after_sending();
        assert!(world.get().await.is_err());
        if mined {
            regtest.mine(1).await.unwrap();
        }
        // The wallet is away: the gate knows the payment, and no wallet is needed.
        world.opens().await;
        assert_eq!((world.paid(), world.arrived()), (0, 1));
        drop(world);
        regtest.start_payer().await.unwrap();
        regtest.mine(1).await.unwrap();
    }

    // It can still pay, and all its money is there.
    let world = World::new(&regtest, 0).await;
    world.breaks_after_sending();
    assert!(world.get().await.is_err());
    let payment = world.payment().await;
    // Any wallet can query its node for the payment, with the stored key.
    let other = WalletPayer::new(&regtest.merchant_url()).unwrap();
    assert!(other.is_known(&payment).await.unwrap());
    regtest.node.flush_pool(&[payment.txid.parse().unwrap()]).await.unwrap();
    assert!(!other.is_known(&payment).await.unwrap());
    world.opens().await;
    assert!(world.events().iter().any(|event| matches!(event, PaymentEvent::SentAgain { .. })));

    regtest.mine(1).await.unwrap();
    assert!(other.is_known(&payment).await.unwrap());
    regtest.merchant.refresh().await.unwrap();
    assert_eq!(regtest.merchant.balance().await.unwrap().balance, 3 * PRICE, "each was paid once");
}
