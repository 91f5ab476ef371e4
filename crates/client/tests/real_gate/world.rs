//! A customer with a real wallet, before a gate on a real chain.

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use client::toll::{
    AgreedKeys, GateAccount, Offer, OpenPayment, Payer, PayingClient, PaymentEvent, PreparedPayment, Prompt, Quote,
    Secret, WalletPayer,
};
use client::{Answer, Error, HttpClient, Result, Server, Storage, StorageChoice, SystemEnvironment};
use domain::UnixMs;
use monero::{Node, NodeVerifier, RpcLimits};
use parking_lot::Mutex;
use regtest::RegtestNetwork;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use toll::payments::{AddressPool, PaymentServiceParts, PaymentSettings, Secrets};
use toll::pricing::{Bundle, ConfirmationStep, Pricing, TokenBinding};
use toll::route::{Route, RouteTable};
use toll::upstream::{ForwardSettings, Upstream};
use toll::{Environment, Gate, GateConfig, GateLimits, PaymentService, serve};
use wire::toll::Network;

pub(crate) const PRICE: u64 = 2_000_000_000;
const NOW: i64 = 1_800_000_000_000;

#[derive(Debug)]
pub(crate) struct World<'a> {
    url: String,
    storage: Storage,
    wallet: Breaking<'a>,
    prompt: Miner<'a>,
    arrived: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    agreed: AgreedKeys,
    _stop: watch::Sender<bool>,
    _folder: TempDir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    BeforeSending,
    AfterSending,
}

/// The real wallet, with a step at which the program ends, once.
#[derive(Debug)]
struct Breaking<'a> {
    regtest: &'a RegtestNetwork,
    url: String,
    wallet: WalletPayer,
    /// Whether the wallet ends after it has sent the next payment, once.
    dies: AtomicBool,
    end: Mutex<Option<End>>,
}

/// A prompt that asks nobody. While it waits, a block is mined, and the gate sees it.
#[derive(Debug)]
struct Miner<'a> {
    regtest: &'a RegtestNetwork,
    payments: Arc<PaymentService>,
    events: Mutex<Vec<PaymentEvent>>,
}

impl<'a> World<'a> {
    /// Starts a gate whose payments need this number of blocks.
    pub(crate) async fn new(regtest: &'a RegtestNetwork, confirmations: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (upstream, arrived) = upstream().await;
        let (payments, asked) = (payments(regtest, &folder).await, Arc::new(AtomicUsize::new(0)));
        let gate = gate(Arc::clone(&payments), route(upstream, confirmations), Arc::clone(&asked));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/price?pair=xmr", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, gate, GateLimits { connections: 20 }, stopped));
        Self {
            url,
            storage: Storage::new(folder.path().join("client")),
            wallet: Breaking {
                regtest,
                url: regtest.payer_url(),
                wallet: WalletPayer::new(&regtest.payer_url()).unwrap(),
                dies: AtomicBool::new(false),
                end: Mutex::default(),
            },
            prompt: Miner { regtest, payments, events: Mutex::default() },
            arrived,
            asked,
            agreed: AgreedKeys::default(),
            _stop: stop,
            _folder: folder,
        }
    }

    pub(crate) async fn get(&self) -> Result<Answer> {
        let http = HttpClient::new(self.server()).unwrap();
        self.paying_client(&http).get(&self.url).await
    }

    pub(crate) async fn quote(&self) -> Quote {
        let http = HttpClient::new(self.server()).unwrap();
        self.paying_client(&http).quote(&self.url).await.unwrap()
    }

    /// Checks that the client gets the answer that it pays for.
    pub(crate) async fn opens(&self) {
        let answer = self.get().await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"the price".as_slice()));
    }

    pub(crate) fn wallet_dies_after_sending(&self) {
        self.wallet.dies.store(true, Ordering::SeqCst);
    }

    pub(crate) fn breaks_before_sending(&self) {
        *self.wallet.end.lock() = Some(End::BeforeSending);
    }

    pub(crate) fn breaks_after_sending(&self) {
        *self.wallet.end.lock() = Some(End::AfterSending);
    }

    /// Returns the stored payment that is not redeemed yet.
    pub(crate) async fn payment(&self) -> OpenPayment {
        let account = self.storage.load::<GateAccount>(&self.server()).await.unwrap().unwrap();
        account.payments.first().cloned().unwrap()
    }

    /// Returns the number of requests that reached the program behind the gate.
    pub(crate) fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    /// Returns the number of requests that reached the gate.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn paid(&self) -> usize {
        self.events().iter().filter(|event| matches!(event, PaymentEvent::Paid { .. })).count()
    }

    pub(crate) fn events(&self) -> Vec<PaymentEvent> {
        self.prompt.events.lock().clone()
    }

    fn server(&self) -> Server {
        Server::of(&self.url).unwrap()
    }

    fn paying_client<'b>(&'b self, http: &'b HttpClient) -> PayingClient<'b> {
        PayingClient {
            http,
            environment: &SystemEnvironment,
            agreed: &self.agreed,
            storage: &self.storage,
            choice: StorageChoice::File,
            payer: Some(&self.wallet),
            prompt: &self.prompt,
            max_pay: Some(PRICE),
            wait_seconds: 3600,
        }
    }
}

impl Breaking<'_> {
    fn ends(&self, at: End) -> Result<()> {
        let mut end = self.end.lock();
        if *end == Some(at) {
            *end = None;
            return Err(Error::Random);
        }
        Ok(())
    }
}

#[async_trait]
impl Payer for Breaking<'_> {
    async fn name(&self) -> Result<String> {
        self.wallet.name().await
    }

    async fn prepare(&self, offer: &Offer) -> Result<PreparedPayment> {
        self.wallet.prepare(offer).await
    }

    async fn send(&self, signed: &Secret) -> Result<()> {
        self.ends(End::BeforeSending)?;
        if self.dies.swap(false, Ordering::SeqCst) {
            // The wallet has sent it and stored nothing: `send` of the real one would do that next.
            let wallet = monero::Wallet::new(&self.url, RpcLimits::default()).unwrap();
            wallet.relay(signed.expose()).await?;
            self.regtest.kill_payer();
            return Err(Error::Random);
        }
        self.wallet.send(signed).await?;
        self.ends(End::AfterSending)
    }

    async fn is_known(&self, payment: &OpenPayment) -> Result<bool> {
        self.wallet.is_known(payment).await
    }

    async fn prove(&self, payment: &OpenPayment) -> Result<Option<String>> {
        self.wallet.prove(payment).await
    }
}

#[async_trait]
impl Prompt for Miner<'_> {
    fn is_interactive(&self) -> bool {
        false
    }

    async fn confirm(&self, _: &Offer, _: u64) -> bool {
        false
    }

    fn notify(&self, event: &PaymentEvent) {
        self.events.lock().push(event.clone());
    }

    async fn wait(&self, _: u64) {
        self.regtest.mine(1).await.unwrap();
        self.payments.look_at_chain().await.unwrap();
    }
}

fn environment() -> Environment {
    let began = Instant::now();
    Environment {
        now: Arc::new(move || UnixMs::from_millis(NOW) + i64::try_from(began.elapsed().as_millis()).unwrap()),
        random: Arc::new(getrandom),
        client: Arc::new(|peer, _| Ok(peer)),
    }
}

fn gate(payments: Arc<PaymentService>, route: Route, asked: Arc<AtomicUsize>) -> Arc<Gate> {
    let config = GateConfig { https: false, ipv6_prefix: 64 };
    let count = move |peer, _: &_| {
        asked.fetch_add(1, Ordering::SeqCst);
        Ok(peer)
    };
    let environment = Environment { client: Arc::new(count), ..environment() };
    Arc::new(Gate::new(config, RouteTable::new(vec![route]), environment, Some(payments)))
}

async fn payments(regtest: &RegtestNetwork, folder: &TempDir) -> Arc<PaymentService> {
    let node = Arc::new(Node::new(&regtest.node_url(), RpcLimits::default()).unwrap());
    let url = format!("sqlite:{}", folder.path().join("toll.db").display());
    Arc::new(PaymentService::new(PaymentServiceParts {
        settings: PaymentSettings {
            network: Network::Mainnet,
            challenge_s: 3600,
            redemptions_per_minute: 1000,
            look_every: Duration::from_secs(2),
        },
        secrets: Secrets::derive(&[8; 32], &[7; 32], []),
        pool: AddressPool::listed([regtest.merchant_address().await.unwrap().parse().unwrap()]).unwrap(),
        browser_addresses: None,
        store: store::open(&url, store::StoreOptions::default()).await.unwrap(),
        verifier: Box::new(NodeVerifier::new(Arc::clone(&node))),
        nodes: vec![node],
        environment: environment(),
        portal: None,
    }))
}

fn getrandom(bytes: &mut [u8]) {
    client::Environment::fill(&SystemEnvironment, bytes).unwrap();
}

fn route(upstream: SocketAddr, need: u32) -> Route {
    let pricing = Pricing {
        bundles: vec![Bundle { price: PRICE, quota: 10, ttl_ms: 3_600_000 }],
        confirmations: vec![ConfirmationStep { from: 0, need }],
        allowance: None,
        binding: TokenBinding::Key,
        tpat0: false,
        signed_in_free: false,
        lease_ms: 60_000,
    };
    Route {
        name: "price".to_owned(),
        hosts: Vec::new(),
        methods: Vec::new(),
        path: "/price".parse().unwrap(),
        pricing: Some(pricing),
        upstream: Arc::new(Upstream::new(format!("http://{upstream}").parse().unwrap(), &ForwardSettings::default())),
        inject: Vec::new(),
        cors: Vec::new(),
    }
}

async fn upstream() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, arrived) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&arrived);
    let price = get(move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        "the price"
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/price", price)).await });
    (address, arrived)
}
