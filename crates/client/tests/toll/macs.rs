//! MACs under a key that the client agreed on with the gate, and gates that agree on none.

use super::world::World;

/// Starts a gate that sells ten requests.
async fn world(agrees: bool) -> World {
    let world = World::new().await;
    world.gate.set(|gate| (gate.quota, gate.agrees) = (10, agrees));
    world
}

async fn shown(world: &World, requests: usize) -> Vec<&'static str> {
    world.gate.set(|gate| gate.shown.clear());
    for _ in 0..requests {
        world.opens().await;
    }
    world.gate.see(|gate| gate.shown.clone())
}

#[tokio::test]
async fn one_signature_serves_many_requests() {
    let world = world(true).await;
    assert_eq!(shown(&world, 4).await, ["proposal", "mac", "mac", "mac"]);
    assert_eq!(world.account().await.tokens[0].left, 6);
}

#[tokio::test]
async fn a_gate_that_was_restarted_costs_one_more_request_and_no_error() {
    let world = world(true).await;
    shown(&world, 2).await;
    world.gate.set(|gate| {
        gate.keys.clear();
        gate.nonce = "the next nonce".to_owned();
    });
    assert_eq!(shown(&world, 3).await, ["refused", "proposal", "mac", "mac"]);
    assert_eq!(world.sent(), 1);
}

#[tokio::test]
async fn an_old_gate_gets_proofs() {
    let world = world(false).await;
    assert_eq!(shown(&world, 3).await, ["proposal", "proof", "proof"]);
}

#[tokio::test]
async fn two_refused_macs_in_a_row_are_enough() {
    let world = world(true).await;
    shown(&world, 1).await;
    // Another gate of the same name answers each time.
    let forget = || world.gate.set(|gate| gate.keys.clear());
    forget();
    assert_eq!(shown(&world, 1).await, ["refused", "proposal"]);
    forget();
    assert_eq!(shown(&world, 3).await, ["refused", "proof", "proof", "proof"]);
}
