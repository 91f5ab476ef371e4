//! The challenges of a route with a price.

use crate::support::{Chain, Key, PRICE, World, bundle, pricing};
use http::Method;
use std::collections::HashSet;
use toll::pricing::{Allowance, Pricing};
use wire::toll::{Offer, REDEEM};

#[tokio::test]
async fn a_402_says_everything_in_its_header_and_in_its_body() {
    let world = World::with(Pricing { bundles: vec![bundle(PRICE, 3), bundle(50 * PRICE, 500)], ..pricing() }).await;
    let reply = world.client.get("/price/eur?day=1").await;
    assert_eq!((reply.status, reply.header("cache-control")), (402, Some("no-store")));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let (demand, header) = (reply.json::<Offer>(), reply.challenge());
    let expires = (world.seconds() + 3600).to_string();
    let said = [
        ("address", demand.address.as_str()),
        ("min_amt", "1000000"),
        ("ttl", "30"),
        ("hash", ""),
        ("signature", ""),
        ("ast", "0"),
        ("v", "1"),
        ("realm", &world.address.to_string()),
        ("challenge", &demand.challenge),
        ("message", &demand.message),
        ("expires", &expires),
        ("ttl_s", "3600"),
        ("quota", "3"),
        ("conf", "0"),
        ("network", "mainnet"),
        ("redeem", REDEEM),
    ];
    for (name, value) in said {
        assert_eq!(header.get(name), Some(value), "{name}");
    }
    assert_eq!(demand.message, format!("tpat1:{}", demand.challenge));
    assert_eq!(demand.title, "This costs 0.000001 XMR for 3 requests within 1 hour.");
    let offered: Vec<_> = demand.accepts.iter().map(|offer| (offer.min_amt.0, offer.quota, offer.conf)).collect();
    assert_eq!(offered, [(PRICE, 3, 0), (50 * PRICE, 500, 1)]);
    assert_ne!(demand.accepts[0].challenge, demand.accepts[1].challenge);
    assert_eq!(world.arrived(), 0);

    let others: HashSet<_> = [world.client.demand("/price").await, world.client.demand("/price").await]
        .map(|other| (other.address, other.challenge))
        .into();
    let addresses: HashSet<_> = others.iter().map(|(address, _)| address).collect();
    assert_eq!((others.len(), addresses.len()), (2, 2), "addresses are taken in turn");
}

#[tokio::test]
async fn challenges_leave_no_rows_and_are_counted() {
    let world = World::new().await;
    for _ in 0..5 {
        world.client.demand("/price").await;
    }
    world.payments.write_down().await;
    world.payments.write_down().await;
    let days = world.store.toll_days(0).await.unwrap();
    assert_eq!(days.iter().map(|day| (day.route.as_str(), day.challenges)).collect::<Vec<_>>(), [("price", 5)]);
    assert_eq!(world.store.toll_payments(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_signed_in_person_pays_nothing_if_the_route_says_so() {
    for (signed_in_free, expected) in [(true, 200), (false, 402)] {
        let world = World::with(Pricing { signed_in_free, ..pricing() }).await;
        let signed_in = world.client.request(Method::GET, "/price").header("cookie", "signed-in");
        assert_eq!(world.client.send(signed_in).await.status, expected);
        assert_eq!(world.client.get("/price").await.status, 402);
    }
}

#[tokio::test]
async fn free_routes_and_free_requests_need_no_payment() {
    let allowance = Some(Allowance { requests: 2, window_ms: 60_000 });
    let world = World::with(Pricing { allowance, ..pricing() }).await;
    assert_eq!(world.client.get("/free").await.status, 200);
    for expected in [200, 200, 402] {
        assert_eq!(world.client.get("/price").await.status, expected);
    }
    let from = |client: &str| world.client.request(Method::GET, "/price").header("x-client", client);
    for (client, expected) in [("2001:db8::1", 200), ("2001:db8::2", 200), ("2001:db8::3", 402), ("2001:db9::1", 200)] {
        assert_eq!(world.client.send(from(client)).await.status, expected, "{client}");
    }
    world.later(59);
    assert_eq!(world.client.get("/price").await.status, 402);
    world.later(1);
    assert_eq!(world.client.get("/price").await.status, 200);
}

#[tokio::test]
async fn two_requests_in_thirty_days_are_two_across_restarts() {
    const DAY: i64 = 86_400;
    let allowance = Some(Allowance { requests: 2, window_ms: 30 * DAY * 1000 });
    let pricing = Pricing { allowance, ..pricing() };
    let world = World::with(pricing.clone()).await;
    for expected in [200, 200, 402] {
        assert_eq!(world.client.get("/price").await.status, expected);
    }
    let (World { chain, directory, store, payments, stop, .. }, since) = (world, 26 * 3600);
    stop.send(true).unwrap();
    drop((store, payments));
    let world = World::on(chain, pricing, directory, 1000).await;
    assert_eq!(world.client.get("/price").await.status, 402);
    world.later(since);
    assert_eq!(world.client.get("/price").await.status, 402, "26 hours later");
    world.later(29 * DAY - since);
    assert_eq!(world.client.get("/price").await.status, 402);
    world.later(DAY);
    for expected in [200, 200, 402] {
        assert_eq!(world.client.get("/price").await.status, expected);
    }
}

#[tokio::test]
async fn an_offer_is_for_the_key_that_signs_the_request_and_else_for_any() {
    let (world, key) = (World::new().await, Key::new());
    world.client.get("/price").await;
    let ask = |proofs: Vec<String>| {
        let request = world.client.request(Method::GET, "/price?day=1");
        world.client.send(proofs.into_iter().fold(request, |request, proof| request.header("dpop", proof)))
    };
    let proof = || world.client.prove(&key, "GET", "/price", None);
    let good = proof();
    let reply = ask(vec![good.clone()]).await;
    assert_eq!((reply.status, reply.challenge().get("jkt")), (402, Some(key.jkt().as_str())));
    assert_eq!(reply.json::<Offer>().jkt, Some(key.jkt()));
    let elsewhere = world.client.prove(&key, "GET", "/open", None);
    let old = proof();
    world.later(61);
    for (wrong, proofs) in [
        ("seen", vec![good]),
        ("another path's", vec![elsewhere]),
        ("with an old nonce", vec![old]),
        ("nonsense", vec!["a.b.c".to_owned()]),
        ("two", vec![proof(), proof()]),
    ] {
        let reply = ask(proofs).await;
        assert_eq!((reply.status, reply.challenge().get("jkt")), (402, None), "{wrong}");
        assert!(reply.header("dpop-nonce").is_some(), "{wrong}");
    }
    assert!(ask(vec![proof()]).await.challenge().get("jkt").is_some(), "with the nonce of the answer");
}

#[tokio::test]
async fn a_client_that_signs_too_often_gets_offers_for_any_key() {
    let (world, key) = (World::on(Chain::new(), pricing(), tempfile::tempdir().unwrap(), 2).await, Key::new());
    world.client.get("/price").await;
    let mut bound = Vec::new();
    for _ in 0..3 {
        bound.push(world.client.demand_for("/price", &key).await.jkt.is_some());
    }
    assert_eq!(bound, [true, true, false]);
}
