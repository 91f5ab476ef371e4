//! A process of its own that runs the gate on one core: `/free` without a toll, `/bearer` and `/bound` for tokens. Its
//! chain reports everything as paid, because only the steps after that are measured.

use crate::machine;
use anyhow::{Context, Result};
use async_trait::async_trait;
use axum::Router;
use axum::routing::post;
use monero::{ClaimResult, Node, PaymentClaim, RpcLimits, VerifiedPayment, Verifier};
use serde_json::json;
use server::clock::{Clock, SystemClock};
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use toll::payments::{AddressPool, PaymentService, PaymentServiceParts, PaymentSettings, Secrets};
use toll::pricing::{Bundle, ConfirmationStep, Pricing, TokenBinding};
use toll::route::{Route, RouteTable};
use toll::upstream::{ForwardSettings, Upstream};
use toll::{Environment, Gate, GateConfig, GateLimits};
use tpat::{Output, ReceivedPayment};
use wire::toll::Network;

/// The argument of our own command line that starts it.
pub(crate) const COMMAND: &str = "paying";
const ADDRESS: &str = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
const PRICE: u64 = 1_000_000;
const HOUR_MS: i64 = 3_600_000;

/// Runs that process. Its upstream's port is the first line of its standard input, its own port the first line of its
/// output.
pub(crate) fn serve() -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let upstream = lines.next().context("no upstream")??.trim().parse()?;
    let folder = machine::folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    println!("{}", runtime.block_on(open(folder.path(), upstream))?);
    lines.for_each(drop);
    Ok(())
}

async fn open(folder: &Path, upstream: u16) -> Result<u16> {
    let environment = Environment {
        now: Arc::new(|| SystemClock.now()),
        random: Arc::new(|bytes| {
            // Nothing is secret here.
            let _ = aws_lc_rs::rand::fill(bytes);
        }),
        client: Arc::new(|peer, _| Ok(peer)),
    };
    let url = format!("sqlite:{}", folder.join("toll.db").display());
    let payments = Arc::new(PaymentService::new(PaymentServiceParts {
        settings: PaymentSettings {
            network: Network::Mainnet,
            challenge_s: 3600,
            redemptions_per_minute: 1000,
            look_every: Duration::from_secs(2),
        },
        secrets: Secrets::derive(&[8; 32], &[7; 32], []),
        pool: AddressPool::listed(std::iter::once(ADDRESS.parse()?))?,
        browser_addresses: None,
        store: store::open(&url, store::StoreOptions::default()).await?,
        verifier: Box::new(Paid),
        nodes: vec![chain().await?],
        environment: environment.clone(),
        portal: None,
    }));
    let pricing = |binding| Pricing {
        bundles: vec![Bundle { price: PRICE, quota: u32::MAX, ttl_ms: HOUR_MS }],
        confirmations: vec![ConfirmationStep { from: 0, need: 1 }],
        allowance: None,
        binding,
        lease_ms: 60_000,
        tpat0: false,
        signed_in_free: false,
    };
    let upstream =
        Arc::new(Upstream::new(format!("http://127.0.0.1:{upstream}").parse()?, &ForwardSettings::default()));
    let route = |name: &str, pricing| {
        anyhow::Ok(Route {
            name: name.to_owned(),
            hosts: Vec::new(),
            methods: Vec::new(),
            path: format!("/{name}").parse()?,
            pricing,
            upstream: Arc::clone(&upstream),
            inject: Vec::new(),
            cors: Vec::new(),
        })
    };
    let routes = vec![
        route("free", None)?,
        route("bearer", Some(pricing(TokenBinding::Bearer)))?,
        route("bound", Some(pricing(TokenBinding::Key)))?,
    ];
    let config = GateConfig { https: false, ipv6_prefix: 64 };
    let gate = Arc::new(Gate::new(config, RouteTable::new(routes), environment, Some(Arc::clone(&payments))));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move { toll::serve(listener, gate, GateLimits { connections: 1000 }, stopped).await });
    tokio::spawn(async move {
        // Counts are written beside the requests, as in service.
        let kept = stop.subscribe();
        payments.run(kept).await;
        drop(stop);
    });
    Ok(port)
}

/// Returns a node that is always in step. It is asked for its height alone.
async fn chain() -> Result<Arc<Node>> {
    let info = json!({
        "height": 100, "top_block_hash": "ab".repeat(32), "target_height": 0, "synchronized": true,
        "nettype": "mainnet", "version": "0.18.4.0",
    });
    let answer = json!({"jsonrpc": "2.0", "id": "0", "result": info}).to_string();
    let router = Router::new().route("/json_rpc", post(move || async move { answer }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let limits = RpcLimits { timeout: Duration::from_secs(5), ..RpcLimits::default() };
    Ok(Arc::new(Node::new(&url, limits)?))
}

#[derive(Debug)]
struct Paid;

#[async_trait]
impl Verifier for Paid {
    async fn verify(&self, claim: &PaymentClaim) -> monero::Result<ClaimResult> {
        let outputs = vec![Output { index: 0, one_time_key: claim.txid.0, amount: PRICE }];
        Ok(ClaimResult::Paid(VerifiedPayment {
            received: ReceivedPayment { outputs, total: PRICE, unlock_time: 0 },
            block: Some(1),
            confirmations: 100,
            height: 101,
            since: None,
            double_spend_seen: false,
        }))
    }
}
