//! A run ends somewhere; the next one goes on with what was written down.

use super::payer::End;
use super::world::World;
use client::Error;
use client::toll::News;

#[tokio::test]
async fn wherever_a_run_ends_nothing_is_paid_twice() {
    for end in [End::Preparing, End::BeforeSending, End::AfterSending, End::Proving] {
        let world = World::new().await;
        *world.wallet.end.lock() = Some(end);
        assert!(matches!(world.get().await, Err(Error::Random)), "{end:?}");
        world.opens().await;
        assert_eq!(world.sent(), 1, "{end:?}");
        let forgot = world.person.heard.lock().iter().any(|news| matches!(news, News::NeverSent { .. }));
        assert_eq!(forgot, end == End::BeforeSending, "{end:?}");
        assert!(world.purse().await.payments.is_empty(), "{end:?}");
    }
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
async fn another_wallet_does_not_decide_what_was_sent() {
    let world = World::new().await;
    *world.wallet.end.lock() = Some(End::AfterSending);
    assert!(world.get().await.is_err());
    *world.wallet.name.lock() = "another".to_owned();
    assert!(matches!(world.get().await, Err(Error::OtherWallet { .. })));
    assert_eq!(world.purse().await.payments.len(), 1);
    *world.wallet.name.lock() = "mine".to_owned();
    world.opens().await;
    assert_eq!(world.sent(), 1);
}
