//! Pages of other origins, as far as a browser lets them call (Fetch, section 3.3).

use crate::support::{Key, PRICE, PROOFS, Reply, World, pricing, route, txid};
use http::Method;
use toll::route::RouteTable;
use wire::toll::{PRICES, REDEEM};

const SHOP: &str = "https://shop.example";
const EVIL: &str = "https://evil.example";

async fn world() -> World {
    let world = World::new().await;
    let mut price = route("price", "/price/**", world.upstream, Some(pricing()));
    price.cors = vec![SHOP.parse().unwrap(), "http://localhost:8080".parse().unwrap()];
    let mut every = route("every", "/every", world.upstream, Some(pricing()));
    every.cors = vec!["*".parse().unwrap()];
    let closed = route("closed", "/closed", world.upstream, Some(pricing()));
    world.gate.replace(RouteTable::new(vec![price, every, closed]));
    world
}

async fn preflight(world: &World, path: &str, origin: &str, method: &str) -> Reply {
    let request = world.client.request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", method);
    world.client.send(request.header("access-control-request-headers", "authorization, dpop")).await
}

async fn get(world: &World, path: &str, origin: &str) -> Reply {
    world.client.send(world.client.request(Method::GET, path).header("origin", origin)).await
}

#[tokio::test]
async fn a_preflight_is_answered_and_the_402_can_be_read() {
    let world = world().await;
    let asked = preflight(&world, "/price/eur", SHOP, "GET").await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, Some(SHOP)));
    assert_eq!(asked.header("access-control-allow-methods"), Some("GET"));
    assert_eq!(asked.header("access-control-allow-headers"), Some("authorization, dpop"));
    assert_eq!(asked.header("access-control-allow-credentials"), None);
    assert!(asked.header("vary").unwrap().contains("origin"));
    let unpaid = get(&world, "/price/eur", SHOP).await;
    assert_eq!((unpaid.status, unpaid.header("access-control-allow-origin")), (402, Some(SHOP)));
    let exposed = unpaid.header("access-control-expose-headers").unwrap();
    for name in
        ["www-authenticate", "dpop-nonce", "tpat-quota", "tpat-expires", "tpat-token", "tpat-mac-key", "retry-after"]
    {
        assert!(exposed.contains(name), "{name}: {exposed}");
    }
    assert_eq!(world.arrived(), 0, "nothing of it reaches the program behind");

    // Paths for paying and for using a token.
    for (path, method) in [(REDEEM, "POST"), (PRICES, "GET")] {
        assert_eq!(preflight(&world, path, SHOP, method).await.status, 204, "{path}");
    }
    assert_eq!(
        get(&world, PRICES, SHOP).await.header("access-control-allow-origin"),
        Some("*"),
        "for any of the routes"
    );
    let (key, demand) = (Key::new(), unpaid.json());
    world.pay(txid(1), &demand, PRICE);
    let token = world.client.redeem(&format!("{}:{}", txid(1), PROOFS[0]), &demand.challenge, Some(&key)).await.token();
    let request = world.client.request(Method::GET, "/price").header("origin", SHOP);
    let request = request.header("authorization", format!("TPAT-Session {}", token.token));
    let paid =
        world.client.send(request.header("dpop", world.client.prove(&key, "GET", "/price", Some(&token.token)))).await;
    assert_eq!((paid.status, paid.header("access-control-allow-origin")), (200, Some(SHOP)));
    assert_eq!(paid.header("tpat-quota"), Some("2"), "a preflight costs nothing");
}

#[tokio::test]
async fn other_origins_read_nothing() {
    let world = world().await;
    for origin in [EVIL, "null", "https://shop.example.evil", "http://shop.example"] {
        assert_eq!(preflight(&world, "/price", origin, "GET").await.status, 402, "{origin}");
        for path in ["/price", REDEEM, PRICES] {
            let reply = get(&world, path, origin).await;
            // The route for every origin is on this host as well, and so are the paths that all routes share.
            let expected = if path == "/price" { None } else { Some("*") };
            assert_eq!(reply.header("access-control-allow-origin"), expected, "{origin} {path}");
            assert_eq!(reply.header("access-control-allow-credentials"), None);
        }
    }
    let every = get(&world, "/every", EVIL).await;
    assert_eq!(every.header("access-control-allow-origin"), Some("*"));
    assert_eq!(every.header("access-control-allow-credentials"), None, "never together with a wildcard");
    for path in ["/closed", "/nothing"] {
        assert_ne!(preflight(&world, path, SHOP, "GET").await.status, 204, "{path}");
        assert_eq!(get(&world, path, SHOP).await.header("access-control-allow-origin"), None, "{path}");
    }
    for path in ["/.well-known/tpat/paid", "/.well-known/tpat/still", "/.well-known/tpat/anew"] {
        assert_ne!(preflight(&world, path, SHOP, "POST").await.status, 204, "a browser's own pages: {path}");
    }
}
