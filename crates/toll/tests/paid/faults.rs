//! Nodes that are away, behind or lie; clients that send junk; and a gate that ends in the middle of a write.

use crate::support::{Chain, Key, NodeState, PRICE, PROOFS, World, bundle, pricing, txid};
use toll::pricing::Pricing;
use tpat::Txid;
use wire::toll::{PendingRedemption, TollCode};

fn payment(name: u8) -> String {
    format!("{}:{}", txid(name), PROOFS[0])
}

#[tokio::test]
async fn a_node_that_cannot_be_asked_costs_nobody_anything() {
    let (world, key) = (World::with(Pricing { bundles: vec![bundle(10 * PRICE, 3)], ..pricing() }).await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, 10 * PRICE);
    let redeem = async || world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await;
    for node_state in [NodeState::Down, NodeState::Behind] {
        world.chain.node_state(node_state);
        let reply = redeem().await;
        assert_eq!((reply.status, reply.code()), (503, TollCode::NodeUnavailable));
        assert_eq!(reply.header("retry-after"), Some("10"));
        assert!(reply.header("www-authenticate").is_none() && world.payments.look_at_chain().await.is_err());
    }
    world.chain.node_state(NodeState::Good);
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(redeem().await.status, 202);
    // A payment that was seen before is answered without a node.
    world.chain.node_state(NodeState::Down);
    assert_eq!((redeem().await.status, world.client.get("/price").await.status), (202, 402));
    world.chain.node_state(NodeState::Good);
    world.chain.change(txid(1), |tx| tx.block = Some(100));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    world.chain.node_state(NodeState::Down);
    let token = redeem().await.token().token;
    assert_eq!(world.client.bound("/price", &token, &key).await.status, 200);
}

#[tokio::test]
async fn a_height_that_jumps_confirms_nothing() {
    let (world, key) = (World::with(Pricing { bundles: vec![bundle(1000 * PRICE, 3)], ..pricing() }).await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, 1000 * PRICE);
    world.payments.look_at_chain().await.unwrap();
    world.chain.change(txid(1), |tx| tx.block = Some(100));
    assert_eq!(world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await.status, 202);
    for lie in [1_000_000, 3_000_000_000] {
        world.chain.height(lie);
        assert!(world.payments.look_at_chain().await.is_err());
        let pending = world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await;
        assert_eq!((pending.status, pending.json::<PendingRedemption>().need), (202, 10));
    }
    world.chain.height(110);
    world.payments.look_at_chain().await.unwrap();
    world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await.token();
}

#[tokio::test]
async fn five_thousand_junk_tokens_ask_a_node_no_more_than_the_cap() {
    let world = World::on(Chain::new(), pricing(), tempfile::tempdir().unwrap(), 30).await;
    let demand = world.client.demand("/open").await;
    let (mut declined, mut missing) = (0, 0);
    for round in 0..100_u16 {
        let all = (0..50_u16).map(|n| {
            let [high, low] = (round * 50 + n).to_be_bytes();
            let mut name = [high; 32];
            name[31] = low;
            let payment = format!("{}:{}", Txid(name), PROOFS[0]);
            let (client, challenge) = (&world.client, &demand.challenge);
            async move {
                match n % 4 {
                    0 => client.bearer("/open", &"A".repeat(175)).await,
                    1 => client.redeem(&payment, &challenge.replace('A', "B"), None).await,
                    2 => client.redeem("junk", challenge, None).await,
                    _ => client.redeem(&payment, challenge, None).await,
                }
            }
        });
        for reply in futures::future::join_all(all).await {
            assert!((400..500).contains(&reply.status), "{reply:?}");
            declined += usize::from(reply.status == 429);
            missing += usize::from(reply.status == 404);
        }
    }
    assert_eq!(world.chain.asked(), missing);
    assert!(missing <= 30 && declined > 1000, "{missing} {declined}");
    // Another offer at the same address is served: a neighbour's nonsense uses up the limit of its own offer.
    let own = world.client.demand("/open").await;
    world.pay(txid(2), &own, PRICE);
    world.client.redeem(&payment(2), &own.challenge, None).await.token();
    // And so is another client.
    world.pay(txid(1), &demand, PRICE);
    let request = world.client.request(http::Method::POST, wire::toll::REDEEM).header("x-client", "203.0.113.9");
    let request = request.header("authorization", format!("TPAT {}", payment(1)));
    let reply = world.client.send(request.json(&serde_json::json!({"challenge": demand.challenge}))).await;
    reply.token();
}

#[tokio::test]
async fn one_transaction_is_not_asked_for_again_at_once() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    for _ in 0..10 {
        assert_eq!(world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await.status, 404);
    }
    assert_eq!(world.chain.asked(), 1);
}

#[tokio::test]
async fn a_gate_that_starts_again_knows_its_challenges_and_tokens() {
    let (world, key) = (World::new().await, Key::new());
    let (first, second) = (world.client.demand("/price").await, world.client.demand("/price").await);
    world.pay(txid(1), &first, PRICE);
    world.pay(txid(2), &second, PRICE);
    let token = world.client.redeem(&payment(1), &first.challenge, Some(&key)).await.token();
    let World { chain, directory, store, payments, stop, .. } = world;
    stop.send(true).unwrap();
    drop((store, payments));

    let world = World::on(chain, pricing(), directory, 1000).await;
    world.client.get("/price").await;
    assert_eq!(world.client.redeem(&payment(1), &first.challenge, Some(&key)).await.token(), token);
    world.client.redeem(&payment(2), &second.challenge, Some(&key)).await.token();
    assert_eq!(world.client.bound("/price", &token.token, &key).await.status, 200);
}
