//! The files of `deploy/` for the gate, in real proxies.

use crate::support::{Front, FrontKind, Key, PRICE, PROOFS, World, pricing, route, txid};
use domain::UnixMs;
use domain::forwarded::UnreadableForwarded;
use http::Method;
use net::MinimumRate;
use reqwest::{RequestBuilder, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use toll::pricing::{Allowance, Pricing, TokenBinding};
use toll::route::RouteTable;
use toll::{Environment, Gate, GateConfig, GateLimits, http, serve_with};
use wire::toll::{Offer, REDEEM, RedeemRequest, RedeemedToken};

const HOST: &str = "api.gate.test";

/// A client at an address of its own, through the proxy.
struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    fn at(front: SocketAddr, number: u8) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .danger_accept_invalid_certs(true)
            .resolve(HOST, front)
            .local_address(IpAddr::from([127, 0, 0, number]));
        Self { http: http.build().unwrap(), base: format!("https://{HOST}:{}", front.port()) }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = headers
            .iter()
            .fold(self.request(Method::GET, path), |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap()
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Starts a gate for https, with the payment service of a world, that trusts its proxy about the client's address.
async fn gate(world: &World, proxied: bool) -> SocketAddr {
    let clock = Arc::clone(&world.now);
    let environment = Environment {
        now: Arc::new(move || UnixMs::from_millis(clock.load(Ordering::SeqCst))),
        random: Arc::new(|bytes| aws_lc_rs::rand::fill(bytes).unwrap()),
        client: Arc::new(move |peer, headers| match headers.get("x-forwarded-for") {
            Some(header) if !proxied => {
                header.to_str().ok().and_then(|header| header.parse().ok()).ok_or(UnreadableForwarded)
            }
            _ => Ok(peer),
        }),
    };
    let free = Pricing { allowance: Some(Allowance { requests: 1, window_ms: 60_000 }), ..pricing() };
    let table = RouteTable::new(vec![
        route("price", "/price/**", world.upstream, Some(pricing())),
        route("open", "/open/**", world.upstream, Some(Pricing { binding: TokenBinding::Bearer, ..pricing() })),
        route("some", "/some", world.upstream, Some(free)),
        route("free", "/free/**", world.upstream, None),
    ]);
    let config = GateConfig { https: true, ipv6_prefix: 64 };
    let gate = Arc::new(Gate::new(config, table, environment, Some(Arc::clone(&world.payments))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut http = http(GateLimits { connections: 100 }, MinimumRate::default(), |_| true);
    http.speaks_proxy = Box::new(move |_| proxied);
    let stopped = world.stop.subscribe();
    tokio::spawn(serve_with(listener, gate, http, stopped));
    address
}

async fn holds(kind: FrontKind) {
    let (world, key) = (World::new().await, Key::new());
    let front = Front::before(kind, gate(&world, kind == FrontKind::Haproxy).await, HOST).await;
    let client = Client::at(front.address, 1);

    // Host and scheme arrive as they were sent, so that a key can be proven.
    let unpaid = client.get("/price/eur?day=1", &[]).await;
    let realm = format!("realm=\"{HOST}:{}\"", front.address.port());
    assert_eq!(unpaid.status(), 402);
    assert!(header(&unpaid, "www-authenticate").contains(&realm), "{unpaid:?}");
    let nonce = header(&unpaid, "dpop-nonce").to_owned();
    let prove = |method: &str, path: &str, token: Option<&str>| {
        key.prove(method, &format!("{}{path}", client.base), &nonce, token)
    };
    let signed = client.get("/price/eur", &[("dpop", &prove("GET", "/price/eur", None))]).await;
    let demand: Offer = signed.json().await.unwrap();
    assert_eq!(demand.jkt, Some(key.jkt()));

    // A payment is shown and used.
    world.pay(txid(1), &demand, PRICE);
    let request = RedeemRequest { challenge: demand.challenge, jwk: Some(key.jwk()) };
    let shown = client.request(Method::POST, REDEEM).header("authorization", format!("TPAT {}:{}", txid(1), PROOFS[0]));
    let redeemed = shown.header("dpop", prove("POST", REDEEM, None)).json(&request).send().await.unwrap();
    assert_eq!(redeemed.status(), 200);
    let token = redeemed.json::<RedeemedToken>().await.unwrap().token;
    // Escapes in the path are forwarded as they were sent.
    let path = "/price/a%2Fb%20c";
    let session = format!("TPAT-Session {token}");
    let paid = client.get(path, &[("authorization", &session), ("dpop", &prove("GET", path, Some(&token)))]).await;
    assert_eq!((paid.status().as_u16(), header(&paid, "tpat-quota")), (200, "2"));
    assert!(header(&paid, "cache-control").contains("private"));
    let seen: serde_json::Value = paid.json().await.unwrap();
    assert_eq!(seen["uri"], path);
    let forwarded = |name: &str| seen["headers"][name][0].as_str().unwrap().to_owned();
    assert_eq!(
        (forwarded("x-forwarded-for").as_str(), forwarded("x-forwarded-proto").as_str()),
        ("127.0.0.1", "https")
    );
    assert_eq!(forwarded("x-forwarded-host"), format!("{HOST}:{}", front.address.port()));

    // Clients are counted by their own addresses, whatever headers they send.
    for (number, headers, status) in [
        (2, vec![], 200),
        (2, vec![("x-forwarded-for", "198.51.100.1")], 402),
        (2, vec![("forwarded", "for=198.51.100.2"), ("x-real-ip", "198.51.100.2")], 402),
        (3, vec![("x-forwarded-for", "127.0.0.2")], 200),
        (3, vec![], 402),
    ] {
        let reply = Client::at(front.address, number).get("/some", &headers).await;
        assert_eq!(reply.status(), status, "{number} {headers:?}");
    }

    // Long bodies arrive, and a stream goes out while it is open.
    let long = client.request(Method::POST, "/free/long").body("x".repeat(3 << 20)).send().await.unwrap();
    assert_eq!(long.status(), 200);
    assert_eq!(long.json::<serde_json::Value>().await.unwrap()["body"].as_str().unwrap().len(), 3 << 20);
    let demand: Offer = client.get("/open", &[]).await.json().await.unwrap();
    world.pay(txid(2), &demand, PRICE);
    let shown = client.request(Method::POST, REDEEM).header("authorization", format!("TPAT {}:{}", txid(2), PROOFS[0]));
    let redeemed = shown.json(&RedeemRequest { challenge: demand.challenge, jwk: None }).send().await.unwrap();
    let session = format!("TPAT-Session {}", redeemed.json::<RedeemedToken>().await.unwrap().token);
    let mut stream = client.get("/open/stream", &[("authorization", &session)]).await;
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "first");

    // A WebSocket is opened.
    let old = reqwest::Client::builder().no_proxy().danger_accept_invalid_certs(true).resolve(HOST, front.address);
    let old = old.http1_only().build().unwrap();
    let upgrade = old.get(format!("{}/open/socket", client.base)).header("authorization", &session);
    let upgrade =
        upgrade.header("connection", "Upgrade").header("upgrade", "websocket").header("sec-websocket-version", "13");
    let opened = upgrade.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send().await.unwrap();
    assert_eq!(
        (opened.status().as_u16(), header(&opened, "sec-websocket-accept")),
        (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    drop((stream, opened));
    let _ = world.stop.send(true);
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_with_the_file_for_the_gate() {
    holds(FrontKind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_with_the_file_for_the_gate() {
    holds(FrontKind::Caddy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_with_the_file_for_the_gate() {
    holds(FrontKind::Haproxy).await;
}
