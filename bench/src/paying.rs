//! A process of its own that runs the gate on one core: `/free` without a toll, `/bearer` and `/bound` for
//! tokens. Its chain says that everything is paid: what is weighed here comes after that.

use crate::machine;
use anyhow::{Context, Result};
use async_trait::async_trait;
use monero::{Claim, Finding, Payment, Verifier};
use server::clock::{Clock, SystemClock};
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use toll::booth::{Booth, Parts, Pool, Secrets, Settings};
use toll::route::{Route, Table};
use toll::terms::{Bind, Bundle, Confirmations, Terms};
use toll::upstream::{Forward, Upstream};
use toll::{Config, Gate, Limits, Surroundings};
use tpat::{Output, Received};
use wire::toll::Network;

/// The word on our own command line that starts it.
pub const COMMAND: &str = "paying";
const ADDRESS: &str = "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
const PRICE: u64 = 1_000_000;
const HOUR_MS: i64 = 3_600_000;

/// What that process does: its upstream's port is the first line of its standard input, its own port the first
/// line that it says.
pub fn serve() -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let upstream = lines.next().context("no upstream")??.trim().parse()?;
    let folder = machine::folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    println!("{}", runtime.block_on(open(folder.path(), upstream))?);
    lines.for_each(drop);
    Ok(())
}

async fn open(folder: &Path, upstream: u16) -> Result<u16> {
    let surroundings = Surroundings {
        now: Arc::new(|| SystemClock.now()),
        random: Arc::new(|bytes| {
            // Nothing is secret here.
            let _ = aws_lc_rs::rand::fill(bytes);
        }),
        client: Arc::new(|peer, _| Ok(peer)),
    };
    let url = format!("sqlite:{}", folder.join("toll.db").display());
    let booth = Arc::new(Booth::new(Parts {
        settings: Settings {
            network: Network::Mainnet,
            challenge_s: 3600,
            redemptions_per_minute: 1000,
            look_every: Duration::from_secs(2),
        },
        secrets: Secrets::derive(&[8; 32], &[7; 32], []),
        pool: Pool::listed(std::iter::once(ADDRESS.parse()?))?,
        people: None,
        store: store::open(&url, store::Options::default()).await?,
        verifier: Box::new(Paid),
        nodes: Vec::new(),
        surroundings: surroundings.clone(),
        portal: None,
    }));
    let terms = |bind| Terms {
        bundles: vec![Bundle { price: PRICE, quota: u32::MAX, ttl_ms: HOUR_MS }],
        confirmations: vec![Confirmations { from: 0, need: 1 }],
        allowance: None,
        bind,
        lease_ms: 60_000,
        tpat0: false,
        signed_in_free: false,
    };
    let upstream = Arc::new(Upstream::new(format!("http://127.0.0.1:{upstream}").parse()?, &Forward::default()));
    let route = |name: &str, terms| {
        anyhow::Ok(Route {
            name: name.to_owned(),
            hosts: Vec::new(),
            methods: Vec::new(),
            path: format!("/{name}").parse()?,
            terms,
            upstream: Arc::clone(&upstream),
            inject: Vec::new(),
            cors: Vec::new(),
        })
    };
    let routes = vec![
        route("free", None)?,
        route("bearer", Some(terms(Bind::Bearer)))?,
        route("bound", Some(terms(Bind::Key)))?,
    ];
    let config = Config { https: false, ipv6_prefix: 64 };
    let gate = Arc::new(Gate::new(config, Table::new(routes), surroundings, Some(Arc::clone(&booth))));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move { toll::serve(listener, gate, Limits { connections: 1000 }, stopped).await });
    tokio::spawn(async move {
        // Counts are written down beside the requests, as in service.
        let kept = stop.subscribe();
        booth.run(kept).await;
        drop(stop);
    });
    Ok(port)
}

#[derive(Debug)]
struct Paid;

#[async_trait]
impl Verifier for Paid {
    async fn verify(&self, claim: &Claim) -> monero::Result<Finding> {
        let outputs = vec![Output { index: 0, one_time_key: claim.txid.0, amount: PRICE }];
        Ok(Finding::Paid(Payment {
            received: Received { outputs, total: PRICE, unlock_time: 0 },
            block: Some(1),
            confirmations: 100,
            height: 101,
            since: None,
            double_spend_seen: false,
        }))
    }
}
