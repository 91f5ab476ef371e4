//! A gate that refuses a payment gets no second one.

use super::gate::{PRICE, problem};
use super::world::World;
use client::Error;
use client::toll::{GateAccount, UnusableOffer};

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

#[tokio::test]
async fn nothing_is_paid_to_a_gate_that_is_asked_under_another_host() {
    let world = World::new().await;
    world.gate.set(|gate| gate.realm = "gate.internal".to_owned());
    // This gate makes another offer to a client that signs. The first request is not signed.
    for asked in [2, 4] {
        assert!(matches!(world.get().await, Err(Error::Bill(UnusableOffer::OtherHost))));
        assert_eq!(world.gate.see(|gate| gate.offers.len()), asked);
    }
    assert!(matches!(world.quote().await, Err(Error::Bill(UnusableOffer::OtherHost))));

    // A newer gate compares the signed host with its own, and names both.
    let origin = world.server().origin();
    let (status, mut body) = problem(421, "host_rewritten");
    body["title"] = format!("This was signed for {origin} and arrived as http://gate.internal.").into();
    let rewritten = Some((status, body));
    world.gate.set(|gate| gate.about_signatures = rewritten.clone());
    let Err(error) = world.get().await else { panic!("another host is no answer") };
    let said = error.to_string();
    assert!(said.contains(&origin) && said.contains("http://gate.internal"), "{said}");
    assert_eq!((world.sent(), world.gate.see(|gate| gate.redemptions)), (0, 0));
    assert!(world.prompt.events.lock().is_empty());

    // A token that was bought before the proxy came is kept, and none is bought in its place.
    world.gate.set(|gate| (gate.realm, gate.about_signatures) = (origin.replace("http://", ""), None));
    world.opens().await;
    world.gate.set(|gate| gate.about_tokens = rewritten);
    assert!(matches!(world.get().await, Err(Error::Gate(_))));
    assert_eq!((world.sent(), world.account().await.tokens[0].left), (1, 1));
}
