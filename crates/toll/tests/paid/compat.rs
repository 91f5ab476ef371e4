//! Credentials of 2022, at routes that accept them.

use crate::support::{PRICE, PROOFS, World, pricing, txid};
use toll::pricing::{ConfirmationStep, Pricing};
use wire::toll::{Offer, TollCode};

async fn world() -> World {
    let confirmations = vec![ConfirmationStep { from: 0, need: 1 }];
    World::with(Pricing { tpat0: true, confirmations, ..pricing() }).await
}

fn shown(proof: usize) -> String {
    format!("TPAT {}:{}", txid(1), PROOFS[proof])
}

/// Makes a payment in block 100, whose proof signs no message.
async fn paid(world: &World, amount: u64) -> Offer {
    let demand = world.client.demand("/open").await;
    let mut tx = world.pay(txid(1), &demand, amount);
    (tx.message, tx.block) = (String::new(), Some(100));
    world.chain.add(txid(1), tx);
    world.chain.height(101);
    demand
}

#[tokio::test]
async fn one_payment_is_one_account_however_its_proof_is_written() {
    let world = world().await;
    let demand = paid(&world, PRICE).await;
    assert_eq!(world.client.demand("/open").await.address, demand.address, "the route keeps its address");
    for (proof, left) in [(0, "2"), (1, "1"), (0, "0")] {
        let reply = world.client.show("/open?x=1", &shown(proof)).await;
        assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some(left)), "{reply:?}");
        assert!(reply.seen("authorization").is_empty());
    }
    let spent = world.client.show("/open", &format!("{}:{}", shown(1), demand.address)).await;
    assert_eq!((spent.status, spent.code()), (402, TollCode::TokenSpent));
    assert!(spent.challenge().get("address").is_some());
    assert_eq!((world.chain.asked(), world.store.toll_tokens(10).await.unwrap().len()), (3, 1));
    let elsewhere = world.client.show("/broken/x", &shown(0)).await;
    assert_eq!((elsewhere.status, elsewhere.code()), (403, TollCode::OtherRoute));
}

#[tokio::test]
async fn its_time_counts_from_its_block() {
    let world = world().await;
    paid(&world, 2 * PRICE).await;
    // Thirty blocks for each price, one of which has passed.
    let reply = world.client.show("/open", &shown(0)).await;
    assert_eq!(reply.header("tpat-expires"), Some((world.seconds() + 59 * 120).to_string().as_str()));
    world.later(59 * 120);
    assert_eq!(world.client.show("/open", &shown(0)).await.code(), TollCode::TokenSpent);
    world.chain.height(160);
    assert_eq!(world.client.show("/open", &shown(1)).await.code(), TollCode::TokenSpent);
}

#[tokio::test]
async fn an_unmined_payment_waits_and_an_invalid_one_opens_nothing() {
    let world = world().await;
    assert_eq!(world.client.show("/open", &shown(0)).await.status, 404);
    let demand = world.client.demand("/open").await;
    let with_message = format!("TPAT {}:{}", tpat::Txid([2; 32]), PROOFS[0]);
    let mut tx = world.pay(txid(2), &demand, PRICE);
    assert_eq!(world.client.show("/open", &with_message).await.code(), TollCode::WrongMessage);
    (tx.message, tx.block) = (String::new(), None);
    world.chain.add(txid(2), tx);
    assert_eq!(world.client.show("/open", &with_message).await.status, 202);
    assert_eq!(world.arrived(), 0);
}

#[tokio::test]
async fn it_is_off_unless_a_route_says_so() {
    let world = World::new().await;
    paid(&world, PRICE).await;
    assert_eq!((world.client.show("/open", &shown(0)).await.status, world.chain.asked()), (402, 0));
}
