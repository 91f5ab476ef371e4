//! If a program is killed at any step, the next run ends with the answer and one payment.

use super::world::{Death, Fault, World};

const STEPS: [&str; 8] = ["price", "refresh", "transfer", "get_address", "relay_tx", "store", "redeem", "paid price"];

#[tokio::test]
async fn a_kill_at_any_step_pays_once() {
    for step in STEPS {
        for (done, death) in
            [(false, Death::Client), (true, Death::Client), (false, Death::Other), (true, Death::Other)]
        {
            let fault = Fault { step, done, death };
            let mut world = World::new().await;
            *world.shared.fault.lock() = Some(fault);
            let first = world.get().await;
            // The simulated gate answers some requests in one step.
            if world.shared.fault.lock().take().is_some() {
                continue;
            }
            // A wallet that breaks off while it writes its own file ends no run.
            let went_on = step == "store" && death == Death::Other;
            assert_eq!(first.is_some_and(|output| output.status.success()), went_on, "{fault:?}");
            assert!(world.paid() <= 1, "{fault:?}");

            let output = world.get().await.unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.stdout, b"the price", "{fault:?}: {said}");
            assert_eq!(world.paid(), 1, "{fault:?}: {said}");
            // The token is stored, so the wallet is not used again.
            assert_eq!(world.get().await.unwrap().stdout, b"the price", "{fault:?}");
            assert_eq!(world.paid(), 1, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_payment_that_was_not_sent_is_sent_as_it_was() {
    let mut world = World::new().await;
    *world.shared.fault.lock() = Some(Fault { step: "relay_tx", done: false, death: Death::Client });
    assert!(world.get().await.is_none());
    assert_eq!(world.paid(), 0);
    // The wallet's node is queried before anything else, and the payment is sent unchanged.
    let output = world.get().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the same payment was sent again"), "{said}");
    assert_eq!(world.paid(), 1);
}

#[tokio::test]
async fn a_wallet_that_cannot_pay_now_is_named_with_the_way_out() {
    let mut world = World::new().await;
    for (code, exit, words) in [
        (-13, 5, "no wallet is open"),
        (-17, 1, "not have enough money"),
        (-37, 6, "try again later"),
        (-38, 5, "cannot reach its node"),
        (-4, 1, "error -4"),
    ] {
        *world.shared.refusal.lock() = Some(code);
        let output = world.get().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{code}: {said}");
        assert!(said.contains(words), "{code}: {said}");
        assert_eq!(world.paid(), 0);
    }
    *world.shared.refusal.lock() = None;
    assert_eq!(world.get().await.unwrap().stdout, b"the price");
}
