//! Spellings of a paid path, and bodies that the gate itself refuses.

use crate::support::{Key, PRICE, PROOFS, World, bundle, pricing, txid};
use axum::body::Bytes;
use http::Method;
use http_body_util::StreamBody;
use hyper::body::Frame;
use std::sync::Arc;
use toll::pricing::Pricing;
use toll::route::{Route, RouteTable};
use toll::upstream::{ForwardSettings, Upstream};

/// Returns the routes of a world: those with a price, and then this one.
fn before(world: &World, path: &str, pricing: Option<Pricing>) -> RouteTable {
    let table = world.gate.table();
    let mut routes: Vec<Route> = table.iter().map(|route| (**route).clone()).collect();
    let rest = Route { name: "rest".to_owned(), path: path.parse().unwrap(), pricing, ..routes[0].clone() };
    routes.push(rest);
    RouteTable::new(routes)
}

#[tokio::test]
async fn no_spelling_of_a_paid_path_is_free() {
    let world = World::new().await;
    world.gate.replace(before(&world, "/**", None));
    for path in [
        "/price",
        "/price;x=1",
        "/price;x=1/eur",
        "/price%3bx",
        "/price%2feur",
        "/price%5Ceur",
        "/pric%2565",
        "/%70rice%252feur",
        "/price%3fx",
        "/price%23x",
        "//price",
        "/;x/price",
        "/%2fprice",
        "/PRICE",
        "/Price/",
        "/price.",
        "/price%20",
        "/%EF%BD%90rice",
    ] {
        assert_eq!(world.client.get(path).await.status, 402, "{path}");
    }
    let trace = world.client.send(world.client.request(Method::TRACE, "/free")).await;
    assert_eq!((trace.status, trace.header("allow").is_some_and(|allowed| allowed.contains("GET"))), (405, true));
    assert_eq!(world.arrived(), 0);
    for path in ["/@scope%2fname", "/x%2fprice", "/prices;x", "/100%25", "/caf%e9"] {
        let reply = world.client.get(path).await;
        assert_eq!((reply.status, &reply.json::<serde_json::Value>()["uri"]), (200, &path.into()), "{path}");
    }
}

#[tokio::test]
async fn the_dearest_reading_decides_and_one_that_leads_nowhere_is_closed() {
    let world = World::new().await;
    let dear = Pricing { bundles: vec![bundle(50 * PRICE, 3)], ..pricing() };
    world.gate.replace(before(&world, "/dear/*", Some(dear)));
    assert_eq!(world.client.demand("/price/..a").await.min_amt.0, PRICE);
    assert_eq!(world.client.demand("/dear/price").await.min_amt.0, 50 * PRICE);
    // Programs that ignore case, Windows' file names, and full-width letters: the spelling itself has no route.
    for spelling in ["/DEAR/price", "/Dear/x", "/dear./x", "/dear%20/x", "/%EF%BD%84ear/x"] {
        assert_eq!(world.client.get(spelling).await.status, 404, "{spelling}");
    }
    // One segment or two: no route takes two.
    assert_eq!(world.client.get("/dear/a%2fb").await.status, 404);
    // As a query or as a part of the segment, it is the same route.
    assert_eq!(world.client.demand("/dear/a%3fb").await.min_amt.0, 50 * PRICE);
}

#[tokio::test]
async fn the_gates_own_refusals_cost_nothing() {
    let (world, key) = (World::new().await, Key::new());
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, PRICE);
    let token =
        world.client.redeem(&format!("{}:{}", txid(1), PROOFS[0]), &demand.challenge, Some(&key)).await.token().token;
    let table = world.gate.table();
    let routes = table.iter().map(|route| {
        let small = ForwardSettings { max_body: 10, ..ForwardSettings::default() };
        Route { upstream: Arc::new(Upstream::new(route.upstream.address.clone(), &small)), ..(**route).clone() }
    });
    world.gate.replace(RouteTable::new(routes.collect()));
    let post = async |body: reqwest::Body, via: &str| {
        let request =
            world.client.request(Method::POST, "/price").header("authorization", format!("TPAT-Session {token}"));
        let request =
            request.header("via", via).header("dpop", world.client.prove(&key, "POST", "/price", Some(&token)));
        world.client.send(request.body(body)).await
    };
    let long = "0123456789a".to_owned();
    let chunked = || {
        let piece = Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"0123456789a")));
        reqwest::Body::wrap(StreamBody::new(futures::stream::iter([piece])))
    };
    for (body, via, status) in
        [(long.into(), "1.1 x", 413), (chunked(), "1.1 x", 413), ("".into(), "1.1 postern-toll", 508)]
    {
        let reply = post(body, via).await;
        assert_eq!((reply.status, reply.header("tpat-quota")), (status, None), "{reply:?}");
        assert_eq!(
            (reply.header("cache-control"), reply.header("content-type")),
            (Some("no-store"), Some("application/problem+json"))
        );
    }
    let good = post("0123456789".into(), "1.1 x").await;
    assert_eq!((good.status, good.header("tpat-quota")), (200, Some("2")));
    assert_eq!((world.arrived(), world.used(&token).await), (1, 1));
}
