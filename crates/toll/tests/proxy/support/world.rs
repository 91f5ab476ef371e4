//! A gate in front of an upstream.

use super::{Raw, Reply, Upstream};
use domain::UnixMs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::net::TcpListener;
use tokio::sync::watch;
use toll::route::{Route, RouteTable};
use toll::upstream::{ForwardSettings, Upstream as Target};
use toll::{Environment, Gate, GateConfig, GateLimits, serve};

pub(crate) struct World {
    pub upstream: Upstream,
    pub gate: Arc<Gate>,
    pub address: SocketAddr,
    pub now: Arc<AtomicI64>,
    pub stop: watch::Sender<bool>,
}

pub(crate) fn route(name: &str, path: &str, upstream: SocketAddr, forward: &ForwardSettings) -> Route {
    let address = format!("http://{upstream}").parse().unwrap();
    Route {
        name: name.to_owned(),
        hosts: Vec::new(),
        methods: Vec::new(),
        path: path.parse().unwrap(),
        pricing: None,
        upstream: Arc::new(Target::new(address, forward)),
        inject: Vec::new(),
        cors: Vec::new(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|upstream| vec![route("all", "/**", upstream, &ForwardSettings::default())]).await
    }

    pub(crate) async fn with(routes: impl FnOnce(SocketAddr) -> Vec<Route>) -> Self {
        let upstream = Upstream::start().await;
        let now = Arc::new(AtomicI64::new(1_750_000_000_000));
        let clock = Arc::clone(&now);
        let environment = Environment {
            now: Arc::new(move || UnixMs::from_millis(clock.load(Ordering::SeqCst))),
            random: Arc::new(|_| ()),
            client: Arc::new(|peer, _| Ok(peer)),
        };
        let table = RouteTable::new(routes(upstream.address));
        let gate = Arc::new(Gate::new(GateConfig { https: false, ipv6_prefix: 64 }, table, environment, None));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, Arc::clone(&gate), GateLimits { connections: 100 }, stopped));
        Self { upstream, gate, address, now, stop }
    }

    /// Sends one request, given as its text, over a connection of its own.
    pub(crate) async fn ask(&self, request: &str) -> Reply {
        let mut raw = Raw::connect(self.address).await;
        raw.send(request).await;
        raw.reply().await
    }

    pub(crate) async fn get(&self, path: &str, headers: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: api.example\r\n{headers}\r\n")).await
    }

    pub(crate) fn arrived(&self) -> Vec<String> {
        self.upstream.seen.requests.lock().clone()
    }
}
