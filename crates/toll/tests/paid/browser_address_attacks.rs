//! Attacks on payments that are followed.

use crate::support::made::made;
use crate::support::{Browser, Chain, Key, PRICE, PROOFS, World, bundle, pricing, txid};
use monero_oxide::transaction::Timelock;
use toll::pricing::Pricing;
use tpat::Txid;

const OFFER: &str = "postern-offer-price.AAAA";
const PATH: &str = "/price";

async fn world_with_addresses(browser_addresses: u32) -> World {
    World::with_browser_addresses(Chain::new(), pricing(), tempfile::tempdir().unwrap(), browser_addresses).await
}

/// A browser with the challenge gets the token that is paid for it. Nobody can make a challenge up, or change one.
#[tokio::test]
async fn attack_another_browsers_offer_is_guessed() {
    let (world, browser) = (world_with_addresses(9).await, Browser::at(1));
    let page = browser.open(&world, PATH).await;
    let offer = browser.offers("price").remove(0);
    world.chain.send(&made(77, 0, &[(&page.address(), PRICE)]));
    world.payments.follow().await.unwrap();
    let program = world.client.demand("/price").await.challenge;
    let changed = |at: usize| {
        let mut text = offer.clone().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).unwrap()
    };
    let guesses = (0..offer.len()).step_by(13).map(changed);
    for guess in guesses.chain([program.clone(), String::new(), "A".repeat(500), offer.to_ascii_lowercase()]) {
        let thief = Browser::at(2);
        thief.cookies.lock().insert(OFFER.to_owned(), guess.clone());
        let reply = thief.open(&world, PATH).await;
        assert_eq!(reply.status, 402, "{guess}");
        assert!(!reply.html().contains(&page.address()), "{guess}");
        assert_eq!(thief.cookie("postern-toll-price"), None);
    }
    // A program's challenge is no offer with an address of its own, so a new one replaces it.
    let borrowed = Browser::at(4);
    borrowed.cookies.lock().insert(OFFER.to_owned(), program.clone());
    let reply = borrowed.open(&world, PATH).await;
    assert_eq!(borrowed.offers("price").len(), 2);
    assert!(reply.header("refresh").is_some() && reply.address() != page.address());
    // It is not valid for another route either.
    let elsewhere = Browser::at(3);
    elsewhere.cookies.lock().insert("postern-offer-open.AAAA".to_owned(), offer.clone());
    assert_eq!(elsewhere.open(&world, "/open").await.status, 402);
    assert_eq!(browser.open(&world, PATH).await.status, 303);
}

/// A payment counts for the offer that it was made for, and not for the next one at the same address.
#[tokio::test]
async fn attack_a_payment_to_an_address_whose_assignment_ended() {
    let (world, first, second) = (world_with_addresses(1).await, Browser::at(1), Browser::at(2));
    let address = first.open(&world, PATH).await.address();
    world.later(3600 + 86_400 + 1);
    world.chain.clock(world.seconds());
    world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    assert_eq!(world.store.toll_payments(10).await.unwrap(), []);
    for _ in 0..5 {
        world.chain.mine();
    }
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(second.open(&world, PATH).await.address(), address, "lent again");
    for _ in 0..3 {
        world.chain.mine();
        world.payments.look_at_chain().await.unwrap();
        world.payments.follow().await.unwrap();
    }
    assert_eq!((second.open(&world, PATH).await.status, first.open(&world, PATH).await.status), (402, 402));
    assert_eq!(world.store.toll_payments(10).await.unwrap(), []);
    world.chain.send(&made(78, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    assert_eq!(second.open(&world, PATH).await.status, 303);
}

/// The same if blocks from before are read for another offer.
#[tokio::test]
async fn attack_an_old_payment_to_an_address_that_is_lent_again() {
    let (world, first, second, other) = (world_with_addresses(2).await, Browser::at(1), Browser::at(2), Browser::at(3));
    let address = first.open(&world, PATH).await.address();
    world.later(3600 + 86_400 + 1);
    world.chain.clock(world.seconds());
    let theirs = other.open(&world, PATH).await.address();
    world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    world.chain.send(&made(78, 0, &[(&theirs, PRICE)]));
    for _ in 0..3 {
        world.chain.mine();
    }
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(second.open(&world, PATH).await.address(), address);
    world.payments.follow().await.unwrap();
    assert_eq!((other.open(&world, PATH).await.status, second.open(&world, PATH).await.status), (303, 402));
    assert_eq!(world.store.toll_payments(10).await.unwrap().len(), 1);
}

/// Two outputs with one key can be spent once.
#[tokio::test]
async fn attack_burning_one_key_twice() {
    let (world, browser) = (world_with_addresses(3).await, Browser::at(1));
    let address = browser.open(&world, PATH).await.address();
    let have =
        async || world.store.toll_payments(10).await.unwrap().iter().map(|payment| payment.piconero).sum::<i64>();
    let mut twice = made(76, 0, &[(&address, PRICE), (&address, PRICE)]);
    twice.prefix_mut().outputs[1].key = twice.prefix().outputs[0].key;
    world.chain.send(&twice);
    world.payments.follow().await.unwrap();
    assert_eq!(have().await, 0);
    // In transactions of their own.
    for nonce in 0..3 {
        world.chain.send(&made(77, nonce, &[(&address, PRICE / 4)]));
        world.payments.follow().await.unwrap();
        assert_eq!(have().await, i64::try_from(PRICE / 4).unwrap());
    }
    assert!(browser.open(&world, PATH).await.html().contains("0.00000025 of 0.000001 XMR"));
    world.chain.send(&made(78, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    assert_eq!(browser.open(&world, PATH).await.status, 303);
}

/// Payments that may never be mined, cannot be spent, or do not exist.
#[tokio::test]
async fn attack_payments_that_are_worth_nothing() {
    let (world, browser) = (world_with_addresses(3).await, Browser::at(1));
    let address = browser.open(&world, PATH).await.address();
    let mut locked = made(76, 0, &[(&address, PRICE)]);
    locked.prefix_mut().additional_timelock = Timelock::Block(100_000);
    world.chain.send(&locked);
    let mut forged = made(77, 0, &[(&address, 1)]);
    let rich = made(77, 0, &[(&address, PRICE)]);
    let amount = |made: &crate::support::made::Made| match made {
        monero_oxide::transaction::Transaction::V2 { proofs: Some(proofs), .. } => {
            proofs.base.encrypted_amounts.clone()
        }
        _ => panic!("version 2"),
    };
    if let monero_oxide::transaction::Transaction::V2 { proofs: Some(proofs), .. } = &mut forged {
        proofs.base.encrypted_amounts = amount(&rich);
    }
    world.chain.send(&forged);
    let doubtful = world.chain.send(&made(78, 0, &[(&address, PRICE)]));
    world.chain.double_spend(doubtful);
    for _ in 0..2 {
        world.payments.follow().await.unwrap();
        assert_eq!(world.store.toll_payments(10).await.unwrap(), []);
    }
    assert_eq!(browser.open(&world, PATH).await.address(), address);
    let (read, _) = world.chain.read();
    assert_eq!(read, 3, "each is read once while it waits");
    // The transaction in a block has won.
    world.chain.mine();
    world.payments.look_at_chain().await.unwrap();
    world.payments.follow().await.unwrap();
    assert_eq!(world.store.toll_payments(10).await.unwrap().len(), 1);
    assert_eq!(browser.open(&world, PATH).await.status, 303);
}

/// However full the pool is, one check reads a limited number of transactions in a limited number of queries.
#[tokio::test]
async fn attack_a_pool_full_of_junk() {
    let (world, browser) = (world_with_addresses(3).await, Browser::at(1));
    let elsewhere = crate::support::made::primary();
    for secret in 0..250 {
        world.chain.send(&made(1000 + secret, 0, &[(&elsewhere, PRICE)]));
    }
    world.payments.follow().await.unwrap();
    assert_eq!(world.chain.read(), (0, 0), "nothing is lent: nothing is read");
    let address = browser.open(&world, PATH).await.address();
    world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    for look in 1..=4 {
        world.payments.follow().await.unwrap();
        let (read, questions) = world.chain.read();
        assert!(read <= look * 60 && questions <= look * 4, "{read} {questions}");
    }
    world.payments.follow().await.unwrap();
    assert_eq!(world.chain.read().0, 251);
    assert_eq!(browser.open(&world, PATH).await.status, 303);
    world.payments.follow().await.unwrap();
    assert_eq!(world.chain.read().0, 251, "nothing twice");
}

/// A payment in no block is replaced, or disappears. The next check suspends its token, without a new block.
#[tokio::test]
async fn attack_money_that_is_spent_again_at_once() {
    let (world, key) = (World::new().await, Key::new());
    world.payments.look_at_chain().await.unwrap();
    let mut tokens = Vec::new();
    for name in 1..=3 {
        let demand = world.client.demand("/price").await;
        world.pay(txid(name), &demand, PRICE);
        let payment = format!("{}:{}", txid(name), PROOFS[0]);
        tokens.push(world.client.redeem(&payment, &demand.challenge, Some(&key)).await.token().token);
    }
    let opens = async |at: usize| world.client.bound("/price", &tokens[at], &key).await.status;
    world.chain.change(txid(1), |tx| tx.double_spend_seen = true);
    world.chain.lose(txid(2));
    world.payments.look_at_chain().await.unwrap();
    assert_eq!((opens(0).await, opens(1).await, opens(2).await), (403, 403, 200));
    // A token whose payment has returned is valid again, at the latest with the next block.
    world.chain.change(txid(1), |tx| (tx.double_spend_seen, tx.block) = (false, Some(100)));
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    assert_eq!((opens(0).await, opens(1).await), (200, 403));
}

/// The same payment, by a browser that presents only the transaction.
#[tokio::test]
async fn attack_one_payment_for_two_offers() {
    let world = World::with_browser_addresses(
        Chain::new(),
        Pricing { bundles: vec![bundle(PRICE, 3)], ..pricing() },
        tempfile::tempdir().unwrap(),
        9,
    )
    .await;
    let (first, second) = (Browser::at(1), Browser::at(2));
    let address = first.open(&world, PATH).await.address();
    let paid: Txid = world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    second.open(&world, PATH).await;
    world.payments.follow().await.unwrap();
    let (challenge, name) = (second.challenge("price"), paid.to_string());
    let fields = [("challenge", &*challenge), ("txid", &*name), ("proof", PROOFS[0]), ("back", PATH)];
    assert_ne!(second.post(&world, "/.well-known/tpat/paid", &fields).await.status, 303);
    assert_eq!((first.open(&world, PATH).await.status, second.open(&world, PATH).await.status), (303, 402));
    assert_eq!(world.store.toll_tokens(9).await.unwrap().len(), 1);
}
