//! A proxy in front of the gate: one that caches, and one that rewrites the host.

use crate::support::{Browser, Chain, Client, Key, Nginx, PRICE, PROOFS, World, made, pricing, txid};
use http::Method;
use parking_lot::Mutex;
use std::sync::Arc;
use toll::pricing::{Allowance, Pricing};
use wire::toll::{CHALLENGE_HEADER, TOKEN_HEADER, TollCode};

/// The path of an answer that the upstream lets everybody cache (see the upstream of [`World`]).
const KEPT: &str = "/open/kept";

fn payment(name: u8) -> String {
    format!("{}:{}", txid(name), PROOFS[0])
}

#[tokio::test]
async fn paid_answers_are_in_no_shared_cache() {
    let world = World::new().await;
    let nginx = Nginx::before(world.address, "$http_host").await;
    let front = Client::new(nginx.address);
    let unpaid = front.get(KEPT).await;
    assert_eq!((unpaid.status, unpaid.header("cache-control")), (402, Some("no-store")));

    let demand = world.client.demand("/open").await;
    world.pay(txid(1), &demand, PRICE);
    let token = front.redeem(&payment(1), &demand.challenge, None).await.token().token;
    let paid = front.bearer(KEPT, &token).await;
    assert_eq!((paid.status, paid.header("cache-control")), (200, Some("private, max-age=600")));
    assert_eq!(paid.header("vary"), Some("accept, authorization, cookie"));
    for name in ["x-accel-expires", "cdn-cache-control", "surrogate-control"] {
        assert_eq!(paid.header(name), None, "{name}");
    }
    let unpaid = front.get(KEPT).await;
    assert_eq!((unpaid.status, unpaid.header("x-cache")), (402, Some("MISS")));

    // When redeemed in place, the answer contains the token.
    let demand = world.client.demand("/open").await;
    world.pay(txid(2), &demand, PRICE);
    let request = front.request(Method::GET, KEPT).header("authorization", format!("TPAT {}", payment(2)));
    let redeemed = front.send(request.header(CHALLENGE_HEADER, &demand.challenge)).await;
    assert_eq!((redeemed.status, redeemed.header("cache-control")), (200, Some("no-store")));
    assert!(redeemed.header(TOKEN_HEADER).is_some());
    assert_eq!(front.get(KEPT).await.status, 402);
    // The cache itself works: a free answer that may be cached is.
    front.get("/kept-free").await;
    assert_eq!(front.get("/kept-free").await.header("x-cache"), Some("HIT"));
}

#[tokio::test]
async fn paid_and_free_answers_to_browsers_are_in_no_shared_cache() {
    let allowance = Some(Allowance { requests: 1, window_ms: 3_600_000 });
    let world = World::with_browser_addresses(
        Chain::new(),
        Pricing { allowance, ..pricing() },
        tempfile::tempdir().unwrap(),
        3,
    )
    .await;
    let nginx = Nginx::before(world.address, "$http_host").await;
    let front = Client::new(nginx.address);
    let free = front.get("/price/kept").await;
    assert_eq!((free.status, free.header("cache-control")), (200, Some("private, max-age=600")));
    assert_eq!(front.get("/price/kept").await.status, 402, "a request for nothing is one client's");

    let browser = Browser::at(7);
    browser.open(&world, "/price/kept").await;
    let address = browser.open(&world, "/price/kept").await.address();
    world.chain.send(&made::made(77, 0, &[(&address, PRICE)]));
    world.payments.follow().await.unwrap();
    assert_eq!(browser.open(&world, "/price/kept").await.status, 303);
    let cookies = browser.cookies.lock().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    let paid = front.send(front.request(Method::GET, "/price/kept").header("cookie", cookies.join("; "))).await;
    assert_eq!((paid.status, paid.header("cache-control")), (200, Some("private, max-age=600")));
    assert_eq!(front.get("/price/kept").await.status, 402);
}

/// nginx sends the upstream's own name as `Host` unless it is configured otherwise. Then no client can prove a key.
#[tokio::test]
async fn a_host_that_a_proxy_rewrites_is_said_before_money_moves() {
    let (world, key) = (World::new().await, Key::new());
    let nginx = Nginx::before(world.address, "gate.internal").await;
    let front = Client::new(nginx.address);
    let unsigned = front.get("/price/eur").await;
    assert_eq!((unsigned.status, unsigned.challenge().get("realm")), (402, Some("gate.internal")));
    let signed = front.request(Method::GET, "/price/eur").header("dpop", front.prove(&key, "GET", "/price/eur", None));
    let signed = front.send(signed).await;
    assert_eq!((signed.status, signed.code()), (421, TollCode::HostRewritten));
    assert!(signed.header("www-authenticate").is_none(), "there is nothing to pay");
    let title = signed.json::<wire::toll::TollProblem>().title;
    assert!(title.contains(&front.url("")) && title.contains("http://gate.internal"), "{title}");

    // A client that has paid already gets the same error, and loses nothing.
    let demand = world.client.demand("/price").await;
    world.pay(txid(1), &demand, PRICE);
    let shown = front.redeem(&payment(1), &demand.challenge, Some(&key)).await;
    assert_eq!((shown.status, shown.code()), (421, TollCode::HostRewritten));
    let token = world.client.redeem(&payment(1), &demand.challenge, Some(&key)).await.token().token;
    let used = front.bound("/price/eur", &token, &key).await;
    assert_eq!((used.status, used.code()), (421, TollCode::HostRewritten));
    assert_eq!(world.client.bound("/price/eur", &token, &key).await.header("tpat-quota"), Some("2"));
}

/// The lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A client cannot correct the proxy, so the gate names both hosts to its operator. Requests do not fill the log.
#[tokio::test]
async fn a_host_that_a_proxy_rewrites_is_logged_once_a_minute() {
    let (world, key) = (World::new().await, Key::new());
    let nginx = Nginx::before(world.address, "gate.internal").await;
    let front = Client::new(nginx.address);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    // The clock may be set back by an hour.
    for (seconds, lines) in [(0, 1), (0, 1), (59, 1), (1, 2), (-3600, 3), (59, 3)] {
        world.later(seconds);
        let proof = front.prove(&key, "GET", "/price/eur", None);
        let signed = front.send(front.request(Method::GET, "/price/eur").header("dpop", proof)).await;
        assert_eq!((signed.status, signed.code()), (421, TollCode::HostRewritten));
        let log = String::from_utf8(log.0.lock().clone()).unwrap();
        assert_eq!(log.matches("a client signed for another host").count(), lines, "{seconds}: {log}");
        assert!(log.contains(&front.url("")) && log.contains("http://gate.internal"), "{log}");
    }
    drop(guard);
}
