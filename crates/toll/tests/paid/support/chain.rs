//! A chain that the test controls, for states that a real one cannot be brought into.

use super::made::Made;
use async_trait::async_trait;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use monero::{ClaimResult, Error, PaymentClaim, VerifiedPayment, Verifier};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tpat::{Output, ProofRefusal, ReceivedPayment, Txid};

/// A transaction that pays an address, with a proof over a message.
#[derive(Debug, Clone)]
pub(crate) struct Tx {
    pub address: String,
    pub message: String,
    pub amount: u64,
    pub block: Option<u64>,
    pub unlock_time: u64,
    pub double_spend_seen: bool,
    pub since: u64,
    /// The one-time key of its output.
    pub output: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeState {
    Good,
    /// Answers with nothing readable.
    Down,
    Behind,
}

#[derive(Clone)]
pub(crate) struct Chain(Arc<Inner>);

struct Inner {
    state: Mutex<What>,
    /// The number of queries about transactions.
    asked: AtomicUsize,
    /// The number of transactions that were queried with their bytes.
    read: AtomicUsize,
    questions: AtomicUsize,
}

/// A transaction with bytes, for scanners.
struct Whole {
    hex: String,
    block: Option<u64>,
    double_spend_seen: bool,
}

struct What {
    height: u64,
    node_state: NodeState,
    verifier_gone: bool,
    txs: HashMap<Txid, Tx>,
    whole: HashMap<Txid, Whole>,
    since: u64,
}

impl Chain {
    pub(crate) fn new() -> Self {
        let (txs, whole) = (HashMap::new(), HashMap::new());
        let state =
            What { height: 100, node_state: NodeState::Good, verifier_gone: false, txs, whole, since: 1_750_000_000 };
        let count = AtomicUsize::default;
        Self(Arc::new(Inner { state: Mutex::new(state), asked: count(), read: count(), questions: count() }))
    }

    pub(crate) fn add(&self, txid: Txid, tx: Tx) {
        self.0.state.lock().txs.insert(txid, tx);
    }

    pub(crate) fn change(&self, txid: Txid, change: impl FnOnce(&mut Tx)) {
        change(self.0.state.lock().txs.get_mut(&txid).unwrap());
    }

    pub(crate) fn lose(&self, txid: Txid) {
        self.0.state.lock().txs.remove(&txid);
    }

    /// Adds a transaction with its bytes to the pool.
    pub(crate) fn send(&self, made: &Made) -> Txid {
        let hex = made.serialize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let whole = Whole { hex, block: None, double_spend_seen: false };
        self.0.state.lock().whole.insert(Txid(made.hash()), whole);
        Txid(made.hash())
    }

    /// Marks a transaction as spent by another one.
    pub(crate) fn double_spend(&self, txid: Txid) {
        self.0.state.lock().whole.get_mut(&txid).unwrap().double_spend_seen = true;
    }

    /// Mines all transactions that were sent into a new block.
    pub(crate) fn mine(&self) {
        let mut state = self.0.state.lock();
        let height = state.height;
        state.whole.values_mut().for_each(|whole| whole.block = Some(whole.block.unwrap_or(height)));
        state.height += 1;
    }

    /// Sets the time at which the node reports to see or mine new transactions, in unix seconds.
    pub(crate) fn clock(&self, since: u64) {
        self.0.state.lock().since = since;
    }

    /// Returns the number of transactions that were queried with their bytes, and the number of queries.
    pub(crate) fn read(&self) -> (usize, usize) {
        (self.0.read.load(Ordering::SeqCst), self.0.questions.load(Ordering::SeqCst))
    }

    pub(crate) fn height(&self, height: u64) {
        self.0.state.lock().height = height;
    }

    pub(crate) fn node_state(&self, node_state: NodeState) {
        self.0.state.lock().node_state = node_state;
    }

    /// Sets whether the wallet beside the node is away.
    pub(crate) fn verifier_is_gone(&self, gone: bool) {
        self.0.state.lock().verifier_gone = gone;
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Serves the chain as a node, for the watcher.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/json_rpc", post(info))
            .route("/get_transactions", post(transactions))
            .route("/get_transaction_pool_hashes", post(pool))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }
}

#[async_trait]
impl Verifier for Chain {
    async fn verify(&self, claim: &PaymentClaim) -> monero::Result<ClaimResult> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let state = self.0.state.lock();
        match state.node_state {
            NodeState::Good => {}
            NodeState::Down => return Err(Error::Timeout("the node".to_owned())),
            NodeState::Behind => return Err(Error::Behind("the node".to_owned())),
        }
        let Some(tx) = state.txs.get(&claim.txid) else { return Ok(ClaimResult::NotFound) };
        if tx.address != claim.address.to_string() || tx.message != claim.message {
            return Ok(ClaimResult::Refused(ProofRefusal::Signature));
        }
        let outputs = vec![Output { index: 0, one_time_key: [tx.output; 32], amount: tx.amount }];
        Ok(ClaimResult::Paid(VerifiedPayment {
            received: ReceivedPayment { outputs, total: tx.amount, unlock_time: tx.unlock_time },
            block: tx.block,
            confirmations: tx.block.map_or(0, |block| state.height.saturating_sub(block)),
            height: state.height,
            since: Some(tx.since),
            double_spend_seen: tx.double_spend_seen,
        }))
    }

    async fn check(&self) -> monero::Result<()> {
        if self.0.state.lock().verifier_gone { Err(Error::Timeout("the wallet".to_owned())) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chain(..)")
    }
}

async fn pool(State(chain): State<Chain>) -> Json<Value> {
    let state = chain.0.state.lock();
    let names = state.whole.iter().filter(|(_, whole)| whole.block.is_none()).map(|(txid, _)| txid.to_string());
    Json(json!({"status": "OK", "tx_hashes": names.collect::<Vec<_>>()}))
}

async fn info(State(chain): State<Chain>, Json(question): Json<Value>) -> Result<Json<Value>, StatusCode> {
    let state = chain.0.state.lock();
    if question["method"] == "get_block" {
        let height = question["params"]["height"].as_u64().unwrap();
        let there = state.whole.iter().filter(|(_, whole)| whole.block == Some(height));
        let names: Vec<_> = there.map(|(txid, _)| txid.to_string()).collect();
        let header = json!({"height": height, "hash": (height + 1).to_string(), "prev_hash": height.to_string()});
        let block = json!({"block_header": header, "tx_hashes": names});
        return Ok(Json(json!({"jsonrpc": "2.0", "id": "0", "result": block})));
    }
    let info = json!({
        "height": state.height, "top_block_hash": state.height.to_string(), "nettype": "mainnet", "version": "0",
        "target_height": 0, "synchronized": state.node_state != NodeState::Behind,
    });
    if state.node_state == NodeState::Down {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(Json(json!({"jsonrpc": "2.0", "id": "0", "result": info})))
}

async fn transactions(State(chain): State<Chain>, Json(question): Json<Value>) -> Json<Value> {
    let state = chain.0.state.lock();
    let asked = question["txs_hashes"].as_array().unwrap();
    if question["prune"] == false {
        chain.0.questions.fetch_add(1, Ordering::SeqCst);
        chain.0.read.fetch_add(asked.len(), Ordering::SeqCst);
    }
    let entry = |txid: &str| {
        if let Some(whole) = state.whole.get(&txid.parse().unwrap()) {
            return Some(json!({"tx_hash": txid, "in_pool": whole.block.is_none(), "block_height": whole.block,
                "double_spend_seen": whole.double_spend_seen, "as_hex": whole.hex,
                "received_timestamp": state.since, "block_timestamp": state.since}));
        }
        let tx = state.txs.get(&txid.parse().unwrap())?;
        Some(json!({"tx_hash": txid, "in_pool": tx.block.is_none(), "block_height": tx.block,
            "double_spend_seen": tx.double_spend_seen}))
    };
    let txs: Vec<Value> = asked.iter().filter_map(|txid| entry(txid.as_str().unwrap())).collect();
    Json(json!({"status": "OK", "txs": txs}))
}
