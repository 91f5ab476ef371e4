//! Offers that ask for a proof: a browser keeps each in a cookie, until no payment for it can arrive any more.

use crate::support::{Browser, PRICE, PROOFS, Reply, Tx, World, bundle, pricing, txid};
use std::collections::HashSet;
use toll::pricing::Pricing;

const PAID: &str = "/.well-known/tpat/paid";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Returns the challenge that a page asks to pay for.
fn challenge(page: &Reply) -> String {
    page.challenge().get("challenge").unwrap().to_owned()
}

/// Pays the amount that a page asks for.
fn pay(world: &World, page: &Reply, name: u8, amount: u64) -> Tx {
    let challenge = page.challenge();
    let text = |name| challenge.get(name).unwrap().to_owned();
    let tx = Tx {
        address: text("address"),
        message: text("message"),
        amount,
        block: None,
        unlock_time: 0,
        double_spend_seen: false,
        since: world.seconds(),
        output: name,
    };
    world.chain.add(txid(name), tx.clone());
    tx
}

/// Pastes a proof into the form of the page that is open, which may be of another offer.
async fn paste(world: &World, browser: &Browser, challenge: &str, name: u8, back: &str) -> Reply {
    let txid = txid(name).to_string();
    let fields = [("challenge", challenge), ("txid", &*txid), ("proof", PROOFS[0]), ("back", back)];
    browser.post(world, PAID, &fields).await
}

#[tokio::test]
async fn an_offer_survives_reloads_and_its_payment_is_redeemed() {
    let (world, browser) = (World::new().await, Browser::at(1));
    let page = browser.open(&world, "/price").await;
    assert!(page.html().contains("You may close this page"), "{}", page.html());
    let first = challenge(&page);
    for _ in 0..5 {
        let again = browser.open(&world, "/price").await;
        assert_eq!((again.status, challenge(&again), again.header("set-cookie")), (402, first.clone(), None));
        assert!(again.html().contains(&format!("tpat1:{first}")));
    }
    assert_eq!(world.store.toll_days(0).await.unwrap(), [], "nothing is asked anew");
    pay(&world, &page, 1, PRICE);
    let opened = paste(&world, &browser, &first, 1, "/price").await;
    assert_eq!((opened.status, opened.header("location")), (303, Some("/price")), "{opened:?}");
    assert_eq!(browser.offers("price"), [""; 0], "the offer is done with");
    assert_eq!(browser.open(&world, "/price").await.header("tpat-quota"), Some("2"));
    // Another browser has an offer of its own.
    assert_ne!(challenge(&Browser::at(2).open(&world, "/price").await), first);
}

#[tokio::test]
async fn tabs_and_routes_share_a_browser_and_any_form_takes_any_proof() {
    let (world, browser) = (World::new().await, Browser::at(1));
    // Two tabs that were opened at the same time, neither with a cookie.
    let (one, two) = (Browser::at(1).open(&world, "/price").await, browser.open(&world, "/price").await);
    browser.keep(&one);
    let open = browser.open(&world, "/open").await;
    assert_eq!((browser.offers("price").len(), browser.offers("open").len()), (2, 1));
    assert_eq!(HashSet::from([challenge(&one), challenge(&two), challenge(&open)]).len(), 3);
    for (page, name) in [(&one, 1), (&two, 2), (&open, 3)] {
        pay(&world, page, name, PRICE);
    }
    // Each is pasted into a form of another offer.
    for (form, name, route) in [(&two, 1, "price"), (&open, 2, "price"), (&two, 3, "open")] {
        let opened = paste(&world, &browser, &challenge(form), name, "/").await;
        assert_eq!(opened.status, 303, "{}", String::from_utf8_lossy(&opened.body));
        assert!(opened.header("set-cookie").unwrap().starts_with(&format!("postern-toll-{route}=")), "{opened:?}");
    }
    assert_eq!((browser.offers("price"), browser.offers("open")), (vec![], vec![]));
    assert_eq!(world.store.toll_tokens(10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn the_page_names_missing_blocks_and_the_missing_amount() {
    let (world, browser) =
        (World::with(Pricing { bundles: vec![bundle(10 * PRICE, 3)], ..pricing() }).await, Browser::at(1));
    let page = browser.open(&world, "/price").await;
    pay(&world, &page, 1, 4 * PRICE);
    let some = paste(&world, &browser, &challenge(&page), 1, "/price").await;
    assert_eq!((some.status, some.header("location")), (303, Some("/price")));
    let missing = browser.open(&world, "/price").await;
    assert!(missing.html().contains("0.000004 of 0.00001 XMR are here."), "{}", missing.html());
    assert_eq!(challenge(&missing), challenge(&page));
    pay(&world, &page, 2, 6 * PRICE);
    let pasted = paste(&world, &browser, &challenge(&page), 2, "/price").await;
    assert_eq!((pasted.status, pasted.header("location")), (303, Some("/price")));
    let waits = browser.open(&world, "/price").await;
    assert_eq!((waits.status, waits.header("refresh")), (202, Some("5")));
    assert!(waits.html().contains("Do not pay again"), "{}", waits.html());
    for name in [1, 2] {
        world.chain.change(txid(name), |tx| tx.block = Some(100));
    }
    world.chain.height(101);
    world.payments.look_at_chain().await.unwrap();
    assert_eq!(browser.open(&world, "/price").await.status, 303, "it opens by itself");
    assert_eq!(browser.open(&world, "/price").await.status, 200);
}

#[tokio::test]
async fn an_offer_that_ended_takes_what_was_paid_in_time_for_a_day_more() {
    let (world, browser) = (World::new().await, Browser::at(1));
    let page = browser.open(&world, "/price").await;
    pay(&world, &page, 1, PRICE);
    world.later(HOUR + 1);
    let next = browser.open(&world, "/price").await;
    assert_ne!(challenge(&next), challenge(&page));
    assert!(next.html().contains("An earlier offer of this page has ended"), "{}", next.html());
    let late = pay(&world, &page, 2, PRICE);
    let declined = paste(&world, &browser, &challenge(&next), 2, "/price").await;
    let name = world.store.late_payments(10).await.unwrap().remove(0);
    assert_eq!((declined.status, name.piconero), (422, i64::try_from(late.amount).unwrap()));
    let html = declined.html();
    assert!(html.contains("came too late") && html.contains(&name.challenge) && !html.contains("<form"), "{html}");
    assert!(html.contains("ask the operator of this site"), "{html}");
    // The page shows it as well, as long as the browser has the offer and no other.
    assert_eq!(paste(&world, &browser, &challenge(&next), 1, "/price").await.status, 303);
    world.later(DAY + HOUR + 1);
    // Nothing of it remains when no payment can arrive any more.
    let fresh = browser.open(&world, "/price").await;
    assert!(!fresh.html().contains("An earlier offer"), "{}", fresh.html());
}

#[tokio::test]
async fn a_challenge_alone_fetches_nothing() {
    let (world, browser, thief) = (World::new().await, Browser::at(1), Browser::at(2));
    let page = browser.open(&world, "/price").await;
    let challenge = challenge(&page);
    pay(&world, &page, 1, PRICE / 2);
    assert_eq!(paste(&world, &browser, &challenge, 1, "/price").await.status, 303);
    let sealed = browser.offers("price").remove(0);
    let (_, tag) = sealed.split_once('.').unwrap();
    let other = Browser::at(3).open(&world, "/price").await;
    let mut flipped = sealed.clone().into_bytes();
    *flipped.last_mut().unwrap() = if flipped.last() == Some(&b'A') { b'E' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    for cookie in [
        challenge.clone(),
        format!("{challenge}."),
        format!("{challenge}.{}", "A".repeat(43)),
        format!("{}.{tag}", self::challenge(&other)),
        format!("{challenge}.{tag}.{tag}"),
        flipped,
    ] {
        thief.cookies.lock().clear();
        thief.cookies.lock().insert("postern-offer-price.AAAA".to_owned(), cookie.clone());
        let page = thief.open(&world, "/price").await;
        assert_eq!(page.status, 402, "{cookie}");
        assert!(!page.html().contains("are here") && self::challenge(&page) != challenge, "{cookie}");
    }
    let page = browser.open(&world, "/price").await;
    assert!(page.html().contains("0.0000005 of 0.000001 XMR are here."), "{}", page.html());
}

#[tokio::test]
async fn a_browser_holds_a_bounded_number_of_offers() {
    let (world, browser) = (World::new().await, Browser::at(1));
    // More tabs at once than any browser has.
    for _ in 0..40 {
        let tab = Browser::at(1).open(&world, "/price").await;
        browser.keep(&tab);
    }
    let before = browser.offers("price").len();
    let page = browser.open(&world, "/open").await;
    assert_eq!((page.status, page.header("set-cookie"), browser.offers("price").len()), (402, None, before));
    assert!(page.html().contains("Keep this page open"), "{}", page.html());
    pay(&world, &page, 1, PRICE);
    assert_eq!(paste(&world, &browser, &challenge(&page), 1, "/open").await.status, 303);
    let longest = browser.offers("price").iter().map(String::len).max().unwrap();
    assert!(longest < 280, "{longest}");
}
