//! A gate that refuses a payment gets no second one.

use super::gate::{PRICE, problem};
use super::world::World;
use client::Error;
use client::toll::GateAccount;

#[tokio::test]
async fn after_a_refused_payment_nothing_is_paid() {
    for code in ["already_redeemed", "expired_challenge", "bad_proof", "locked_funds", "underpaid"] {
        let world = World::new().await;
        let no = problem(if code == "underpaid" { 402 } else { 422 }, code);
        world.gate.set(|gate| gate.before = vec![no.clone(), no]);
        for _ in 0..2 {
            assert!(matches!(world.get().await, Err(Error::PaymentRefused { .. })), "{code}");
            assert_eq!(world.sent(), 1, "{code}");
        }
        assert!(GateAccount::forget_kept(&world.storage, &world.server(), "tx1").await.unwrap());
        world.opens().await;
        assert_eq!(world.sent(), 2, "{code}");
    }
}

#[tokio::test]
async fn a_token_that_is_taken_back_is_not_bought_again() {
    let world = World::new().await;
    world.opens().await;
    for code in ["token_revoked", "token_suspended", "forged"] {
        world.gate.set(|gate| gate.about_tokens = Some(problem(403, code)));
        assert!(matches!(world.get().await, Err(Error::Gate(_))), "{code}");
    }
    assert_eq!(world.sent(), 1);
    world.gate.set(|gate| gate.about_tokens = None);
    world.opens().await;
}

#[tokio::test]
async fn a_token_of_another_route_leaves_the_price_to_be_paid() {
    let world = World::new().await;
    world.opens().await;
    world.gate.set(|gate| gate.about_tokens = Some(problem(403, "other_route")));
    // The simulated gate refuses the new one as well: it is not paid a third time.
    assert!(matches!(world.get().await, Err(Error::AskedAgain(_))));
    assert_eq!(world.sent(), 2);
}

#[tokio::test]
async fn a_gate_that_asks_for_ever_is_paid_once_a_run() {
    let world = World::new().await;
    world.gate.set(|gate| gate.quota = 0);
    assert!(matches!(world.get().await, Err(Error::AskedAgain(_))));
    assert_eq!(world.sent(), 1);
}

#[tokio::test]
async fn a_price_that_rises_while_a_person_thinks_is_not_paid() {
    let mut world = World::new().await;
    world.max_pay = None;
    *world.prompt.answer.lock() = Some(true);
    let gate = world.gate.clone();
    world.prompt.thinks = Some(Box::new(move || gate.set(|gate| gate.price = PRICE * 1000)));
    assert!(matches!(world.get().await, Err(Error::PriceChanged(_))));
    assert_eq!(world.sent(), 0);
}
