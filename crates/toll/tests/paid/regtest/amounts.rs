//! Too little, too much, too late, and several payments in one transaction.

use super::{PRICE, mine, pay, redeem, selling};
use crate::support::{Key, World};
use regtest::{ProvenPayment, RegtestNetwork};
use wire::toll::{Piconero, TollCode, TollProblem};

#[tokio::test(flavor = "multi_thread")]
async fn the_amount_paid_buys_its_bundle() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let (world, key) = (World::real(&regtest, selling()).await, Key::new());

    // Too little, then the rest.
    let demand = world.client.demand("/price").await;
    let short = pay(&regtest, &demand, PRICE - 7).await;
    let reply = redeem(&world, &short, &demand, &key).await;
    let TollProblem { code, have, need, .. } = reply.json();
    assert_eq!((code, have, need), (TollCode::Underpaid, Some(Piconero(PRICE - 7)), Some(Piconero(PRICE))));
    let rest = pay(&regtest, &demand, 10).await;
    let token = redeem(&world, &rest, &demand, &key).await.token();
    assert_eq!((token.quota, token.remainder, token.provisional), (20, Piconero(3), true));

    // Three times the price, and then so much that it needs a block.
    let demand = world.client.demand("/price").await;
    let thrice = pay(&regtest, &demand, 3 * PRICE + 1).await;
    assert_eq!(redeem(&world, &thrice, &demand, &key).await.token().remainder, Piconero(1));
    let more = pay(&regtest, &demand, PRICE).await;
    assert_eq!(redeem(&world, &more, &demand, &key).await.status, 202, "four prices in all");
    mine(&regtest, &world, 1).await;
    let token = redeem(&world, &more, &demand, &key).await.token();
    assert_eq!((token.quota, token.provisional), (400, false));

    // One transaction for two challenges, and another that pays one address twice.
    let (first, second) = (world.client.demand("/price").await, world.client.demand("/price").await);
    regtest.payer.refresh().await.unwrap();
    let sent = regtest.payer.transfer(&[(&first.address, PRICE), (&second.address, PRICE)], 0).await.unwrap();
    for demand in [&first, &second] {
        let proof = regtest.payer.tx_proof(&sent.txid, &demand.address, &demand.message).await.unwrap();
        let token = redeem(&world, &ProvenPayment { txid: sent.txid, proof, fee: 0 }, demand, &key).await.token();
        assert_eq!((token.quota, token.remainder), (20, Piconero(0)));
    }
    let twice = world.client.demand("/price").await;
    regtest.payer.refresh().await.unwrap();
    let sent = regtest.payer.transfer(&[(&twice.address, PRICE), (&twice.address, PRICE + 1)], 0).await.unwrap();
    let proof = regtest.payer.tx_proof(&sent.txid, &twice.address, &twice.message).await.unwrap();
    let paid = ProvenPayment { txid: sent.txid, proof, fee: 0 };
    assert_eq!(redeem(&world, &paid, &twice, &key).await.token().remainder, Piconero(1));
    mine(&regtest, &world, 1).await;
    assert_eq!(redeem(&world, &paid, &twice, &key).await.token().quota, 200);

    // The gate's clock is a year behind the chain's, so that a payment now comes after the offer has expired.
    let late = world.client.demand("/price").await;
    world.later(3601);
    world.client.get("/price").await;
    let paid = pay(&regtest, &late, PRICE).await;
    let reply = redeem(&world, &paid, &late, &key).await;
    assert_eq!((reply.status, reply.code()), (422, TollCode::ExpiredChallenge));
    assert_eq!(world.store.toll_tokens(10).await.unwrap().len(), 5);
}
