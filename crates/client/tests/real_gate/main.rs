//! The client, a gate, a node and two wallets, all of them real.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod world;

use client::toll::{Forecast, News};
use regtest::Rig;
use world::{PRICE, World};

/// One network for all: starting it takes longest.
#[tokio::test]
async fn a_real_wallet_pays_and_the_route_opens() {
    let rig = Rig::start().await.unwrap();
    let before = rig.payer.balance().await.unwrap();

    let quick = World::new(&rig, 0).await;
    assert!(matches!(quick.forecast().await, Forecast::Pay { fee: Some(1..), .. }));
    assert_eq!(rig.payer.balance().await.unwrap(), before, "asking pays nothing");
    quick.opens().await;
    quick.opens().await;
    assert_eq!((quick.paid(), quick.arrived()), (1, 2), "the token is used again");

    // In a block first: while the client waits, one is mined.
    let deep = World::new(&rig, 1).await;
    deep.opens().await;
    assert_eq!((deep.paid(), deep.arrived()), (1, 1));
    let heard = deep.heard();
    assert!(heard.iter().any(|news| matches!(news, News::Seen { have: 0, need: 1, .. })), "{heard:?}");

    // The program ends when the payment has left the wallet.
    let broken = World::new(&rig, 0).await;
    broken.breaks_after_sending();
    assert!(broken.get().await.is_err());
    broken.opens().await;
    assert_eq!((broken.paid(), broken.arrived()), (0, 1), "the next run pays nothing and redeems");

    // And before it has: the wallet knows nothing of it, so it is forgotten and paid anew.
    let early = World::new(&rig, 0).await;
    early.breaks_before_sending();
    assert!(early.get().await.is_err());
    early.opens().await;
    assert!(matches!(early.heard().first(), Some(News::NeverSent { .. })));
    assert_eq!(early.paid(), 1);

    rig.mine(1).await.unwrap();
    rig.merchant.refresh().await.unwrap();
    assert_eq!(rig.merchant.balance().await.unwrap().balance, 4 * PRICE);
}
