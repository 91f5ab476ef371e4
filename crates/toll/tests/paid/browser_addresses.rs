//! Payments without a proof: a browser has an address of its own, and its page opens when it is paid.

use crate::support::made::made;
use crate::support::{Browser, Chain, NodeState, PRICE, PROOFS, World, bundle, pricing, txid};
use domain::UnixMs;
use toll::pricing::Pricing;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const TOKEN: &str = "postern-toll-price";
const PATH: &str = "/price/gold?in=eur";
const STILL: &str = "/.well-known/tpat/still?back=%2Fprice%2Fgold%3Fin%3Deur";

async fn world_with_addresses(pricing: Pricing) -> World {
    World::with_browser_addresses(Chain::new(), pricing, tempfile::tempdir().unwrap(), 3).await
}

#[tokio::test]
async fn a_person_pays_and_the_page_opens_by_itself() {
    let (world, browser, other) = (world_with_addresses(pricing()).await, Browser::at(1), Browser::at(2));
    let page = browser.open(&world, PATH).await;
    assert_eq!((page.status, page.header("refresh")), (402, Some("10")));
    let (address, html) = (page.address(), page.html());
    assert!(html.contains("Waiting for your payment") && html.contains("within 60 minutes"), "{html}");
    assert!(html.contains(&format!("href=\"{STILL}\"")) && !html.contains("<textarea"), "{html}");
    let offer = browser.offers("price");
    let challenge = offer[0].split('.').next().unwrap();
    assert!(!page.header("location").unwrap_or_default().contains(challenge) && !html.contains(&offer[0]));
    for _ in 0..3 {
        world.payments.follow().await.unwrap();
        let again = browser.open(&world, PATH).await;
        assert_eq!((again.status, again.address(), browser.offers("price")), (402, address.clone(), offer.clone()));
    }
    let theirs = other.open(&world, PATH).await;
    assert_ne!(theirs.address(), address);

    world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    let opened = browser.open(&world, PATH).await;
    assert_eq!((opened.status, opened.header("location")), (303, Some(PATH)));
    assert!(browser.cookie(TOKEN).is_some() && browser.offers("price").is_empty());
    for left in ["2", "1", "0"] {
        let answer = browser.open(&world, PATH).await;
        assert_eq!((answer.status, answer.header("tpat-quota")), (200, Some(left)));
        assert_eq!(answer.seen("cookie"), [""; 0], "what is behind the gate does not see it");
    }
    // Other browsers get nothing of it. A browser that has used up all may buy again, at another address.
    assert_eq!(other.open(&world, PATH).await.address(), theirs.address());
    let again = browser.open(&world, PATH).await;
    assert!(again.status == 402 && again.address() != address && again.address() != theirs.address());
    assert_eq!(world.store.toll_tokens(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn more_money_waits_for_its_blocks_and_is_said_to() {
    let (world, browser) =
        (world_with_addresses(Pricing { bundles: vec![bundle(10 * PRICE, 3)], ..pricing() }).await, Browser::at(1));
    let address = browser.open(&world, PATH).await.address();
    world.chain.send(&made(77, 0, &[(&address, 10 * PRICE)]));
    world.payments.follow().await.unwrap();
    for _ in 0..2 {
        let page = browser.open(&world, PATH).await;
        assert_eq!((page.status, page.header("refresh")), (202, Some("5")));
        let html = page.html();
        assert!(html.contains("It has 0 of 1 confirmations.") && html.contains("Do not pay again"), "{html}");
        assert!(!html.contains("monero:"), "{html}");
    }
    let still = browser.open(&world, STILL).await;
    assert_eq!((still.status, still.header("refresh")), (202, None));
    world.chain.mine();
    world.payments.look_at_chain().await.unwrap();
    let before = world.chain.read();
    world.payments.follow().await.unwrap();
    assert_eq!(world.chain.read(), before, "what was read in the pool is not read again in its block");
    assert_eq!(browser.open(&world, STILL).await.header("location"), Some(PATH));
    assert!(browser.cookie(TOKEN).is_none(), "the still page gives nothing out");
    assert_eq!(browser.open(&world, PATH).await.status, 303);
    assert_eq!(browser.open(&world, PATH).await.header("tpat-quota"), Some("2"));
}

#[tokio::test]
async fn the_rest_may_follow() {
    let (world, browser) = (world_with_addresses(pricing()).await, Browser::at(1));
    let address = browser.open(&world, PATH).await.address();
    world.chain.send(&made(77, 0, &[(&address, PRICE / 4)]));
    world.payments.follow().await.unwrap();
    let page = browser.open(&world, PATH).await;
    let html = page.html();
    assert_eq!((page.status, page.address()), (402, address.clone()));
    assert!(html.contains("0.00000025 of 0.000001 XMR are here"), "{html}");
    assert!(html.contains("0.00000075 XMR are missing") && html.contains("tx_amount=0.00000075\""), "{html}");
    // From the pool and from a block, in two outputs of one transaction.
    world.chain.mine();
    world.chain.send(&made(78, 0, &[(&address, PRICE / 4), (&address, PRICE / 2)]));
    world.payments.follow().await.unwrap();
    assert_eq!(browser.open(&world, PATH).await.status, 303);
    let payments = world.store.toll_payments(10).await.unwrap();
    assert_eq!(payments.iter().map(|payment| payment.piconero).sum::<i64>(), i64::try_from(PRICE).unwrap());
}

#[tokio::test]
async fn a_gate_that_starts_again_finds_what_was_paid_meanwhile() {
    let (world, browser, later) = (world_with_addresses(pricing()).await, Browser::at(1), Browser::at(2));
    let address = browser.open(&world, PATH).await.address();
    let second = later.open(&world, PATH).await.address();
    let World { chain, directory, store, payments, stop, .. } = world;
    stop.send(true).unwrap();
    drop((store, payments));
    // One is in a block by then, and more blocks come than one check reads.
    chain.send(&made(77, 0, &[(&address, PRICE)]));
    for _ in 0..15 {
        chain.mine();
    }
    chain.send(&made(78, 0, &[(&second, PRICE)]));

    let world = World::with_browser_addresses(chain, pricing(), directory, 3).await;
    assert_eq!(browser.open(&world, PATH).await.address(), address, "the cookie's challenge finds its address");
    for _ in 0..2 {
        world.payments.follow().await.unwrap();
    }
    for browser in [&browser, &later] {
        assert_eq!(browser.open(&world, PATH).await.status, 303);
        assert_eq!(browser.open(&world, PATH).await.status, 200);
    }
    let searched: Vec<_> =
        world.store.address_assignments(UnixMs::EPOCH).await.unwrap().iter().map(|lease| lease.searched).collect();
    assert_eq!(searched, [115, 115]);
}

#[tokio::test]
async fn a_payment_days_after_its_offer_is_listed_as_late() {
    let (world, browser) = (world_with_addresses(pricing()).await, Browser::at(1));
    let address = browser.open(&world, PATH).await.address();
    world.payments.follow().await.unwrap();
    // An hour to pay, and a day: then the address may be assigned again.
    world.later(HOUR + 9 * DAY);
    for _ in 0..3 {
        world.chain.mine();
        world.payments.follow().await.unwrap();
    }
    let late = made(77, 0, &[(&address, PRICE)]);
    world.chain.clock(u64::try_from(world.now.load(std::sync::atomic::Ordering::SeqCst) / 1000).unwrap());
    let txid = world.chain.send(&late);
    world.payments.follow().await.unwrap();
    let [listed] = &world.store.late_payments(10).await.unwrap()[..] else { panic!("one late payment") };
    assert_eq!((listed.id.txid.as_str(), listed.piconero), (txid.to_string().as_str(), i64::try_from(PRICE).unwrap()));
    assert!(world.store.toll_payments(10).await.unwrap().is_empty(), "it buys nothing");

    // A gate that was down meanwhile finds it in a block.
    let World { chain, directory, store, payments, stop, .. } = world;
    stop.send(true).unwrap();
    drop((store, payments));
    chain.mine();
    let second = chain.send(&made(78, 0, &[(&address, PRICE)]));
    chain.mine();
    let world = World::with_browser_addresses(chain, pricing(), directory, 3).await;
    world.later(HOUR + 9 * DAY);
    world.payments.follow().await.unwrap();
    let found = world.store.late_payments(10).await.unwrap();
    assert!(found.iter().any(|late| late.id.txid == second.to_string()), "{found:?}");
}

#[tokio::test]
async fn without_a_free_address_a_proof_is_required() {
    let world = world_with_addresses(pricing()).await;
    for name in 0..3 {
        assert!(browser_with_offer(&world, name).await);
    }
    for name in 3..6 {
        assert!(!browser_with_offer(&world, name).await, "all are lent, and no row more is made");
    }
    assert_eq!(world.store.address_assignments(UnixMs::EPOCH).await.unwrap().len(), 3);
    // An hour to pay, and a day: then they are assigned again.
    world.later(HOUR + DAY);
    assert!(!browser_with_offer(&world, 7).await);
    world.later(1);
    assert!(browser_with_offer(&world, 7).await);
    assert_eq!(world.store.address_assignments(UnixMs::EPOCH).await.unwrap().len(), 3);
}

async fn browser_with_offer(world: &World, name: u8) -> bool {
    let browser = Browser::at(name);
    let page = browser.open(world, PATH).await;
    assert_eq!(browser.offers("price").len(), 1, "kept in both cases");
    let lent = page.header("refresh").is_some();
    assert_eq!((page.status, page.html().contains("<textarea")), (402, !lent));
    lent
}

#[tokio::test]
async fn one_client_is_lent_few_addresses_and_programs_none() {
    let world = World::with_browser_addresses(Chain::new(), pricing(), tempfile::tempdir().unwrap(), 20).await;
    for count in 0..9 {
        assert_eq!(browser_with_offer(&world, 1).await, count < 6, "{count}");
    }
    assert!(browser_with_offer(&world, 2).await);
    let demand = world.client.demand("/price").await;
    assert_eq!(demand.accepts.len(), 1);
    assert_eq!(world.store.address_assignments(UnixMs::EPOCH).await.unwrap().len(), 7);
    // No address is assigned while the state of the chain is unknown.
    let chain = Chain::new();
    chain.node_state(NodeState::Down);
    let blind = World::with_browser_addresses(chain, pricing(), tempfile::tempdir().unwrap(), 20).await;
    assert_eq!(Browser::at(1).open(&blind, PATH).await.status, 503);
    blind.chain.node_state(NodeState::Good);
    blind.payments.look_at_chain().await.unwrap();
    assert!(browser_with_offer(&blind, 1).await);
}

#[tokio::test]
async fn an_offer_that_ran_out_says_so_and_another_may_begin() {
    let (world, browser, short) = (world_with_addresses(pricing()).await, Browser::at(1), Browser::at(2));
    let address = browser.open(&world, PATH).await.address();
    let theirs = short.open(&world, PATH).await.address();
    world.chain.send(&made(76, 0, &[(&theirs, PRICE / 2)]));
    world.payments.follow().await.unwrap();
    world.later(HOUR + 1);
    world.chain.clock(world.seconds());
    world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    let page = browser.open(&world, PATH).await;
    assert_eq!((page.status, page.header("refresh")), (402, Some("30")));
    let html = page.html();
    assert!(html.contains("Nothing has arrived in time") && !html.contains(&address), "{html}");
    let late = world.store.late_payments(10).await.unwrap().remove(0);
    assert!(html.contains("0.000001 XMR arrived after that") && html.contains(&late.challenge), "{html}");
    let page = short.open(&world, PATH).await;
    let name = world.store.toll_payments(10).await.unwrap().remove(0).challenge;
    assert!(page.html().contains("Not all has arrived in time") && page.html().contains(&name), "{}", page.html());

    // The node reports when it first saw it, and that was in time.
    world.chain.clock(world.seconds() - 10);
    world.chain.send(&made(78, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    assert_eq!(browser.open(&world, PATH).await.status, 303);
    let stranger = Browser::at(3).post(&world, "/.well-known/tpat/anew", &[("back", PATH)]).await;
    assert_eq!((stranger.status, stranger.header("set-cookie")), (303, None));
    let anew = short.post(&world, "/.well-known/tpat/anew", &[("back", PATH)]).await;
    assert_eq!((anew.status, anew.header("location"), short.offers("price").len()), (303, Some(PATH), 2));
    assert_eq!(short.post(&world, "/.well-known/tpat/anew", &[("back", PATH)]).await.header("set-cookie"), None);
    assert_ne!(short.open(&world, PATH).await.address(), theirs);
}

#[tokio::test]
async fn the_still_page_takes_a_proof_for_the_same_address() {
    let (world, browser) = (world_with_addresses(pricing()).await, Browser::at(1));
    let page = browser.open(&world, PATH).await;
    let still = browser.open(&world, STILL).await;
    let html = still.html();
    assert_eq!((still.status, still.header("refresh"), still.address()), (402, None, page.address()));
    assert!(html.contains("<textarea") && html.contains(&format!("<a href=\"{PATH}\">Look again</a>")), "{html}");
    let challenge = browser.challenge("price");
    assert!(html.contains(&format!("tpat1:{challenge}")), "{html}");
    // Without an offer there is no page to keep from refreshing, and only routes have such a page.
    assert_eq!(Browser::at(2).open(&world, STILL).await.header("location"), Some(PATH));
    assert_eq!(browser.open(&world, "/.well-known/tpat/still?back=//evil.example").await.status, 404);

    let name = txid(9).to_string();
    let mut demand = world.client.demand("/price").await;
    (demand.address, demand.message) = (page.address(), format!("tpat1:{challenge}"));
    world.pay(txid(9), &demand, PRICE / 2);
    let fields = |txid| [("challenge", &*challenge), ("txid", txid), ("proof", PROOFS[0]), ("back", PATH)];
    let pasted = browser.post(&world, "/.well-known/tpat/paid", &fields(&name)).await;
    assert_eq!((pasted.status, pasted.header("location")), (303, Some(PATH)));
    assert!(browser.open(&world, PATH).await.html().contains("0.0000005 of 0.000001 XMR are here"));
    // A proof and a payment that was found add up.
    world.chain.send(&made(77, 0, &[(&page.address(), PRICE / 2)]));
    world.payments.follow().await.unwrap();
    assert_eq!(browser.open(&world, PATH).await.status, 303);
}

#[tokio::test]
async fn a_browser_that_waits_for_a_block_is_not_asked_to_pay_again() {
    let (world, browser) =
        (world_with_addresses(Pricing { bundles: vec![bundle(PRICE, 100)], ..pricing() }).await, Browser::at(1));
    let address = browser.open(&world, PATH).await.address();
    world.chain.send(&made(77, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    assert_eq!(browser.open(&world, PATH).await.status, 303);
    for left in (0..20).rev() {
        let answer = browser.open(&world, PATH).await;
        assert_eq!((answer.status, answer.header("tpat-quota")), (200, Some(left.to_string().as_str())));
    }
    let early = browser.open(&world, PATH).await;
    assert_eq!((early.status, early.header("refresh")), (429, Some("30")));
    assert!(early.html().contains("Do not pay again"), "{}", early.html());
    world.chain.mine();
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(browser.open(&world, PATH).await.header("tpat-quota"), Some("79"));
}
