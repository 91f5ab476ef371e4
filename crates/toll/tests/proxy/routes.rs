use crate::support::{Raw, Upstream, World, route};
use http::Method;
use toll::route::RouteTable;
use toll::upstream::ForwardSettings;

#[tokio::test]
async fn the_first_that_matches_has_the_request() {
    let other = Upstream::start().await;
    let world = World::with(|upstream| {
        let forward = ForwardSettings::default();
        let mut price = route("price", "/price", upstream, &forward);
        price.methods = vec![Method::GET];
        price.hosts = vec!["api.example".to_owned(), "*.shop.example".to_owned()];
        vec![price, route("rest", "/price/**", other.address, &forward)]
    })
    .await;
    let arrives = async |request: &str, expected: &str| {
        let (before, there) = (world.arrived().len(), other.seen.requests.lock().len());
        let mut raw = Raw::connect(world.address).await;
        raw.send(format!("{request}\r\n\r\n")).await;
        let head = raw.head().await;
        let at = match (world.arrived().len() - before, other.seen.requests.lock().len() - there) {
            (1, 0) => "price",
            (0, 1) => "rest",
            _ if head.contains(" 404 ") => "nowhere",
            _ => "?",
        };
        assert_eq!(at, expected, "{request}");
    };
    arrives("GET /price HTTP/1.1\r\nHost: api.example", "price").await;
    arrives("GET /pric%65/ HTTP/1.1\r\nHost: API.example:8080", "price").await;
    arrives("HEAD /price HTTP/1.1\r\nHost: a.shop.example", "price").await;
    arrives("GET /price HTTP/1.1\r\nHost: shop.example", "rest").await;
    arrives("POST /price HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0", "rest").await;
    arrives("GET /price/usd HTTP/1.1\r\nHost: api.example", "rest").await;
    arrives("GET / HTTP/1.1\r\nHost: api.example", "nowhere").await;
}

#[tokio::test]
async fn other_routes_without_a_restart() {
    let world = World::new().await;
    assert_eq!(world.get("/", "").await.status, 200);
    world.gate.replace(RouteTable::default());
    assert_eq!(world.get("/", "").await.status, 404);
}
