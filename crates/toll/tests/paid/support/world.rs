//! A gate with a payment service, in front of an upstream that reports what it received.

use super::{Chain, Client, Tx, made};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use domain::UnixMs;
use domain::encoding::from_base64url;
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use monero::{Node, NodeVerifier, RpcLimits, Verifier};
use regtest::RegtestNetwork;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use store::Store;
use store::audit::{AuditEntry, AuditEvent};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use toll::payments::{AddressPool, BrowserAddresses, PaymentService, PaymentServiceParts, PaymentSettings, Secrets};
use toll::pricing::{Bundle, ConfirmationStep, Pricing, TokenBinding};
use toll::route::{Route, RouteTable};
use toll::upstream::{ForwardSettings, Upstream as Target};
use toll::{Environment, Gate, GateConfig, GateLimits, PortalSessions, serve};
use tpat::{Txid, ViewPair};
use wire::toll::{Network, Offer};

pub(super) const ADDRESSES: [&str; 2] = [
    "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV",
    "83Ys4RVKWzNZPUxy6rwm1deyUBxJx2T4hG33QSttDryHedNmKMHvHEKd4pJ3WgMvVN4oFhW5Lxk7o723KsckubTQ9qujGAM",
];
pub(crate) const PRICE: u64 = 1_000_000;
const HOUR_MS: i64 = 3_600_000;

/// The key that a world begins with.
pub(crate) const OLD: [u8; 32] = [7; 32];

pub(crate) struct World {
    pub client: Client,
    pub address: SocketAddr,
    pub gate: Arc<Gate>,
    pub payments: Arc<PaymentService>,
    pub secrets: Secrets,
    pub store: Arc<dyn Store>,
    pub chain: Chain,
    pub now: Arc<AtomicI64>,
    pub arrived: Arc<AtomicUsize>,
    pub upstream: SocketAddr,
    pub stop: watch::Sender<bool>,
    pub directory: TempDir,
}

struct Built {
    pool: AddressPool,
    browser_addresses: Option<BrowserAddresses>,
    verifier: Box<dyn Verifier>,
    nodes: Vec<Arc<Node>>,
    redemptions_per_minute: u32,
}

pub(crate) fn bundle(price: u64, quota: u32) -> Bundle {
    Bundle { price, quota, ttl_ms: HOUR_MS }
}

/// Sells one bundle of 3 requests for the price. Below ten times the price the pool is sufficient.
pub(crate) fn pricing() -> Pricing {
    let step = |from, need| ConfirmationStep { from, need };
    Pricing {
        bundles: vec![bundle(PRICE, 3)],
        confirmations: vec![step(0, 0), step(10 * PRICE, 1), step(1000 * PRICE, 10)],
        allowance: None,
        binding: TokenBinding::Key,
        lease_ms: 60_000,
        tpat0: false,
        signed_in_free: false,
    }
}

pub(crate) fn route(name: &str, path: &str, upstream: SocketAddr, pricing: Option<Pricing>) -> Route {
    let address = format!("http://{upstream}").parse().unwrap();
    Route {
        name: name.to_owned(),
        hosts: Vec::new(),
        methods: Vec::new(),
        path: path.parse().unwrap(),
        pricing,
        upstream: Arc::new(Target::new(address, &ForwardSettings::default())),
        inject: Vec::new(),
        cors: Vec::new(),
    }
}

/// Builds an audit row about a change of a token by an operator.
pub(crate) fn entry(id: &str) -> AuditEntry {
    AuditEntry {
        address: "-".to_owned(),
        device: "Command line".to_owned(),
        about: id.to_owned(),
        ..AuditEntry::new("audit".to_owned(), UnixMs::from_millis(1), AuditEvent::TollRevoked)
    }
}

impl World {
    /// Starts a gate with `/price` for a key, `/open` for any holder of the token, `/broken` for an upstream that
    /// fails, and `/free`.
    pub(crate) async fn new() -> Self {
        Self::with(pricing()).await
    }

    pub(crate) async fn with(pricing: Pricing) -> Self {
        Self::on(Chain::new(), pricing, tempfile::tempdir().unwrap(), 1000).await
    }

    /// Starts a gate on an existing chain and store.
    pub(crate) async fn on(chain: Chain, pricing: Pricing, directory: TempDir, redemptions_per_minute: u32) -> Self {
        let node = Arc::new(Node::new(&chain.serve().await, RpcLimits::default()).unwrap());
        let pool = AddressPool::listed(ADDRESSES.iter().map(|text| text.parse().unwrap())).unwrap();
        let verifier = Box::new(chain.clone());
        let built = Built { pool, browser_addresses: None, verifier, nodes: vec![node], redemptions_per_minute };
        Self::built(built, chain, pricing, directory).await
    }

    /// Starts a gate with a view key, and this number of addresses for browsers.
    pub(crate) async fn with_browser_addresses(
        chain: Chain,
        pricing: Pricing,
        directory: TempDir,
        browser_addresses: u32,
    ) -> Self {
        let node = Arc::new(Node::new(&chain.serve().await, RpcLimits::default()).unwrap());
        let pair = ViewPair::new(&made::primary().parse().unwrap(), made::VIEW_KEY).unwrap();
        let pool = AddressPool::derived(pair.clone(), 20).unwrap();
        let browser_addresses = Some(BrowserAddresses::new(pair, browser_addresses).unwrap());
        let verifier = Box::new(chain.clone());
        let built = Built { pool, browser_addresses, verifier, nodes: vec![node], redemptions_per_minute: 1000 };
        let world = Self::built(built, chain, pricing, directory).await;
        // The test may have set the chain to fail.
        drop(world.payments.look_at_chain().await);
        world
    }

    /// Starts a gate with a real node, and the merchant's view key for addresses.
    pub(crate) async fn real(regtest: &RegtestNetwork, pricing: Pricing) -> Self {
        Self::real_in(regtest, pricing, tempfile::tempdir().unwrap()).await
    }

    /// Does the same on an existing store.
    pub(crate) async fn real_in(regtest: &RegtestNetwork, pricing: Pricing, directory: TempDir) -> Self {
        // Tests wait this long for a paused node. A node that is not paused needs less, also on a busy machine.
        let limits = RpcLimits { timeout: Duration::from_secs(5), ..RpcLimits::default() };
        let node = Arc::new(Node::new(&regtest.node_url(), limits).unwrap());
        let primary = regtest.merchant.address().await.unwrap().parse().unwrap();
        let pair = ViewPair::new(&primary, &regtest.merchant.view_key().await.unwrap()).unwrap();
        let pool = AddressPool::derived(pair.clone(), 20).unwrap();
        let browser_addresses = Some(BrowserAddresses::new(pair, 20).unwrap());
        let verifier = Box::new(NodeVerifier::new(Arc::clone(&node)));
        let built = Built { pool, browser_addresses, verifier, nodes: vec![node], redemptions_per_minute: 1000 };
        Self::built(built, Chain::new(), pricing, directory).await
    }

    async fn built(built: Built, chain: Chain, pricing: Pricing, directory: TempDir) -> Self {
        let (upstream, arrived) = upstream().await;
        let now = Arc::new(AtomicI64::new(1_750_000_000_000));
        let clock = Arc::clone(&now);
        let environment = Environment {
            now: Arc::new(move || UnixMs::from_millis(clock.load(Ordering::SeqCst))),
            random: Arc::new(|bytes| aws_lc_rs::rand::fill(bytes).unwrap()),
            client: Arc::new(|peer, headers| {
                let header = headers.get("x-client").and_then(|header| header.to_str().ok()?.parse().ok());
                Ok(header.unwrap_or(peer))
            }),
        };
        let url = format!("sqlite:{}", directory.path().join("toll.db").display());
        let store = store::open(&url, store::StoreOptions::default()).await.unwrap();
        let secrets = Secrets::derive(&[8; 32], &OLD, []);
        let payments = Arc::new(PaymentService::new(PaymentServiceParts {
            settings: PaymentSettings {
                network: Network::Mainnet,
                challenge_s: 3600,
                redemptions_per_minute: built.redemptions_per_minute,
                look_every: Duration::from_millis(50),
            },
            secrets: secrets.clone(),
            pool: built.pool,
            browser_addresses: built.browser_addresses,
            store: Arc::clone(&store),
            verifier: built.verifier,
            nodes: built.nodes,
            environment: environment.clone(),
            portal: Some(Arc::new(SignedIn)),
        }));
        let open = Pricing { binding: TokenBinding::Bearer, ..pricing.clone() };
        let table = RouteTable::new(vec![
            route("price", "/price/**", upstream, Some(pricing)),
            route("open", "/open/**", upstream, Some(open.clone())),
            route("broken", "/broken/**", upstream, Some(open)),
            route("free", "/free", upstream, None),
            route("kept-free", "/kept-free", upstream, None),
        ]);
        let config = GateConfig { https: false, ipv6_prefix: 64 };
        let gate = Arc::new(Gate::new(config, table, environment, Some(Arc::clone(&payments))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, Arc::clone(&gate), GateLimits { connections: 200 }, stopped));
        let client = Client::new(address);
        Self { client, address, gate, payments, secrets, store, chain, now, arrived, upstream, stop, directory }
    }

    pub(crate) fn seconds(&self) -> u64 {
        u64::try_from(self.now.load(Ordering::SeqCst) / 1000).unwrap()
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Adds a transaction to the pool that pays the offer.
    pub(crate) fn pay(&self, txid: Txid, demand: &Offer, amount: u64) -> Tx {
        let tx = Tx {
            address: demand.address.clone(),
            message: demand.message.clone(),
            amount,
            block: None,
            unlock_time: 0,
            double_spend_seen: false,
            since: self.seconds(),
            output: txid.0[0],
        };
        self.chain.add(txid, tx.clone());
        tx
    }

    pub(crate) fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    /// Returns the number of used requests of a token in the store.
    pub(crate) async fn used(&self, token: &str) -> i64 {
        self.payments.write_down().await;
        let id = domain::encoding::base64url(&from_base64url(token).unwrap()[1..17]);
        self.store.toll_token(&id).await.unwrap().unwrap().used
    }
}

/// A portal that accepts any client that claims to be signed in.
struct SignedIn;

#[async_trait]
impl PortalSessions for SignedIn {
    async fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        headers.get("cookie").is_some_and(|cookie| cookie == "signed-in")
    }
}

async fn upstream() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, arrived) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let router = Router::new()
        .route("/open/stream", get(stream))
        .route("/open/socket", get(socket))
        .route("/open/kept", get(kept))
        .route("/price/kept", get(kept))
        .route("/kept-free", get(kept))
        .route("/broken/{*rest}", any(|| async { StatusCode::BAD_GATEWAY }))
        .fallback(echo)
        .with_state(Arc::clone(&arrived));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, arrived)
}

/// Answers with every header that lets shared caches store it.
async fn kept() -> Response {
    let headers = [
        ("cache-control", "public, max-age=600, s-maxage=600"),
        ("x-accel-expires", "600"),
        ("cdn-cache-control", "max-age=600"),
        ("surrogate-control", "max-age=600"),
    ];
    (headers, "kept").into_response()
}

/// Returns a body of one piece, whose end never comes.
async fn stream() -> Body {
    let first = futures::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"first"))]);
    Body::from_stream(first.chain(futures::stream::pending()))
}

async fn socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

async fn echo(State(arrived): State<Arc<AtomicUsize>>, request: Request) -> Response {
    arrived.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body: Bytes = body.collect().await.unwrap().to_bytes();
    let mut headers = serde_json::Map::new();
    for (name, value) in &parts.headers {
        let all = headers.entry(name.as_str()).or_insert_with(|| json!([]));
        all.as_array_mut().unwrap().push(Value::from(String::from_utf8_lossy(value.as_bytes())));
    }
    let body = String::from_utf8_lossy(&body);
    json!({"uri": parts.uri.to_string(), "headers": headers, "body": body}).to_string().into_response()
}
