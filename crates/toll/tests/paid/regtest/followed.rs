//! A browser that pays without a proof: the view key finds the payment.

use super::{PRICE, careful, mine, selling};
use crate::support::{Browser, World};
use regtest::RegtestNetwork;
use serde_json::{Value, json};
use tpat::Txid;

const PATH: &str = "/price/gold";
const TOKEN: &str = "postern-toll-price";
const PAID: &str = "/.well-known/tpat/paid";

async fn send(regtest: &RegtestNetwork, payments: &[(&str, u64)]) -> Txid {
    regtest.payer.refresh().await.unwrap();
    regtest.payer.transfer(payments, 0).await.unwrap().txid
}

/// Checks the chain once, as the gate does every two seconds.
async fn look(world: &World) {
    world.payments.look_at_chain().await.unwrap();
    world.payments.follow().await.unwrap();
}

async fn paste(browser: &Browser, world: &World, challenge: &str, txid: Txid, proof: &str) -> u16 {
    let txid = txid.to_string();
    let fields = [("challenge", challenge), ("txid", &txid), ("proof", proof), ("back", PATH)];
    browser.post(world, PAID, &fields).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_opens_with_the_next_look() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let world = World::real(&regtest, selling()).await;
    look(&world).await;
    let (browser, other) = (Browser::at(1), Browser::at(2));
    let address = browser.open(&world, PATH).await.address();
    let (offer, theirs) = (browser.challenge("price"), other.open(&world, PATH).await.address());
    assert_ne!(address, theirs);
    let paid = send(&regtest, &[(&address, PRICE)]).await;
    look(&world).await;
    assert_eq!(browser.open(&world, PATH).await.status, 303);
    let token = browser.cookie(TOKEN).unwrap();
    assert_eq!(browser.open(&world, PATH).await.header("tpat-quota"), Some("19"), "a part, until a block has it");
    assert_eq!(other.open(&world, PATH).await.address(), theirs);

    // With a proof it is the same payment: the same token for a client that has the offer, and nothing for another.
    let proof = regtest.payer.tx_proof(&paid, &address, &format!("tpat1:{offer}")).await.unwrap();
    let again = Browser::at(3);
    assert_eq!(paste(&again, &world, &offer, paid, &proof).await, 303);
    assert_eq!(again.cookie(TOKEN), Some(token));
    let mine_now = other.challenge("price");
    let proof = regtest.payer.tx_proof(&paid, &address, &format!("tpat1:{mine_now}")).await.unwrap();
    assert_eq!(paste(&other, &world, &mine_now, paid, &proof).await, 422);
    assert_eq!(world.store.toll_tokens(9).await.unwrap().len(), 1);

    // Two browsers are paid for in one transaction; one of them too little, and the rest comes later.
    let third = Browser::at(4);
    let address = third.open(&world, PATH).await.address();
    mine(&regtest, &world, 1).await;
    send(&regtest, &[(&theirs, PRICE), (&address, PRICE - 5)]).await;
    look(&world).await;
    assert_eq!(other.open(&world, PATH).await.status, 303);
    let page = third.open(&world, PATH).await;
    assert!(page.status == 402 && page.html().contains("0.000000000005 XMR are missing"), "{}", page.html());
    send(&regtest, &[(&address, 5)]).await;
    look(&world).await;
    assert_eq!(third.open(&world, PATH).await.status, 303);

    // The merchant's wallet, which never created a second account, has all of it.
    mine(&regtest, &world, 1).await;
    regtest.merchant.refresh().await.unwrap();
    let question = json!({"jsonrpc": "2.0", "id": "0", "method": "get_balance", "params": {"account_index": 1}});
    let answer =
        reqwest::Client::new().post(format!("{}/json_rpc", regtest.merchant_url())).json(&question).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer["result"]["balance"], json!(3 * PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmined_payment_survives_a_restart_and_another_chain() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let world = World::real(&regtest, careful()).await;
    look(&world).await;
    let (browser, away, reorganised) = (Browser::at(1), Browser::at(2), Browser::at(3));
    let address = browser.open(&world, PATH).await.address();
    let second = away.open(&world, PATH).await.address();
    let third = reorganised.open(&world, PATH).await.address();
    send(&regtest, &[(&address, PRICE)]).await;
    look(&world).await;
    let page = browser.open(&world, PATH).await;
    assert!(page.status == 202 && page.html().contains("It has 0 of 1 confirmations."), "{}", page.html());

    let World { directory, store, payments, stop, .. } = world;
    stop.send(true).unwrap();
    drop((store, payments));
    send(&regtest, &[(&second, PRICE)]).await;
    regtest.mine(12).await.unwrap();
    let world = World::real_in(&regtest, careful(), directory).await;
    for _ in 0..2 {
        look(&world).await;
    }
    for browser in [&browser, &away] {
        assert_eq!(browser.open(&world, PATH).await.status, 303);
        assert_eq!(browser.open(&world, PATH).await.status, 200);
    }

    // The newest blocks disappear, and others come with a payment that was in no pool at any check.
    regtest.node.pop_blocks(2).await.unwrap();
    send(&regtest, &[(&third, PRICE)]).await;
    regtest.mine(3).await.unwrap();
    for _ in 0..3 {
        look(&world).await;
    }
    assert_eq!(reorganised.open(&world, PATH).await.status, 303);
}
