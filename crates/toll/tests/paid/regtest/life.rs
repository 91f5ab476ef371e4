//! A token from its first request to its last.

use super::{PRICE, careful, mine, pay, redeem, selling};
use crate::support::{Key, World};
use regtest::RegtestNetwork;
use toll::pricing::Pricing;
use wire::toll::{PendingRedemption, TollCode};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_for_a_payment_that_waits_for_its_block() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, careful()).await, Key::new());
    let demand = world.client.demand("/price").await;
    assert_eq!((demand.min_amt.0, demand.quota, demand.conf), (PRICE, 100, 1));
    let paid = pay(&regtest, &demand, PRICE).await;
    for _ in 0..2 {
        let pending = redeem(&world, &paid, &demand, &key).await;
        assert_eq!(pending.status, 202, "{pending:?}");
        let PendingRedemption { have, need, .. } = pending.json();
        assert_eq!((have, need), (0, 1));
    }
    mine(&regtest, &world, 1).await;

    // Fifty at once, half of them thieves.
    let thieves: Vec<Key> = (0..25).map(|_| Key::new()).collect();
    let all = (0..50).map(|n| redeem(&world, &paid, &demand, if n % 2 == 0 { &key } else { &thieves[n / 2] }));
    let mut tokens = Vec::new();
    for (n, reply) in futures::future::join_all(all).await.into_iter().enumerate() {
        if n % 2 == 0 {
            tokens.push(reply.token().token);
        } else {
            assert_eq!((reply.status, reply.code()), (409, TollCode::AlreadyRedeemed));
        }
    }
    tokens.dedup();
    assert_eq!((tokens.len(), world.store.toll_tokens(10).await.unwrap().len()), (1, 1));

    for left in (0..100).rev() {
        let reply = world.client.bound("/price/eur", &tokens[0], &key).await;
        assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some(left.to_string().as_str())));
    }
    let spent = world.client.bound("/price/eur", &tokens[0], &key).await;
    assert_eq!((spent.status, spent.code(), world.arrived()), (402, TollCode::TokenSpent, 100));
    assert_eq!(world.used(&tokens[0]).await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_payment_opens_at_once() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, Pricing { tpat0: true, ..selling() }).await, Key::new());
    let demand = world.client.demand("/price").await;
    let paid = pay(&regtest, &demand, PRICE).await;
    let reply = world.client.in_place("/price", &super::shown(&paid), &demand.challenge, &key).await;
    assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some("19")), "a part of it, until a block has it");
    let token = reply.header("tpat-token").unwrap().to_owned();
    mine(&regtest, &world, 1).await;
    let reply = world.client.bound("/price", &token, &key).await;
    assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some("98")));
    let again = redeem(&world, &paid, &demand, &key).await.token();
    assert_eq!((again.token, again.quota, again.provisional), (token, 98, false));

    // A client of 2022: a proof without a message, with each request.
    let paid = regtest.pay(&world.client.demand("/open").await.address, PRICE, "").await.unwrap();
    mine(&regtest, &world, 1).await;
    for left in ["99", "98"] {
        let reply = world.client.show("/open", &format!("TPAT {}", super::shown(&paid))).await;
        assert_eq!((reply.status, reply.header("tpat-quota")), (200, Some(left)));
    }
}
