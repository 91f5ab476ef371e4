//! monerod.

use crate::height_tracker::HeightTracker;
use crate::responses::{BlockHeader, Count, Height, PoolHashes, Status, Transactions, WholeBlock};
use crate::rpc::Rpc;
pub use crate::seen::{BlockPosition, NodeTransaction};
use crate::{Error, Result, RpcLimits};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tpat::Txid;

/// A client for one monerod. The node is trusted about the content of pool and chain, and about nothing that can be
/// computed.
#[derive(Debug)]
pub struct Node {
    rpc: Rpc,
    steady: Mutex<HeightTracker>,
}

/// Number of transactions in one request: the limit of a restricted node.
const AT_ONCE: usize = 100;
/// Maximum length of an answer about one transaction: its bytes as hexadecimal digits, which nodes send twice, and the
/// rest.
const ENTRY: usize = 4 * tpat::LONGEST + 2000;

/// The state of the node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodeInfo {
    /// Number of blocks in its chain; the newest one has the number `height - 1`.
    pub height: u64,
    pub top_block_hash: String,
    /// Number of blocks in the longest known chain; zero if it is not longer than its own.
    pub target_height: u64,
    pub synchronized: bool,
    pub nettype: String,
    pub version: String,
}

/// A block without its coinbase transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub hash: String,
    /// The hash of the previous block.
    pub previous: String,
    pub txids: Vec<Txid>,
}

impl Node {
    /// Creates a client for a node.
    ///
    /// # Errors
    /// [`Error::Malformed`]: this is not a node's URL.
    pub fn new(url: &str, limits: RpcLimits) -> Result<Self> {
        Ok(Self { rpc: Rpc::new(url, limits)?, steady: Mutex::default() })
    }

    pub async fn info(&self) -> Result<NodeInfo> {
        self.rpc.call("get_info", json!({})).await
    }

    /// Like [`Self::info`], but requires that the node is synchronised, as far as known.
    ///
    /// # Errors
    /// [`Error::Behind`] and [`Error::Unsteady`] too.
    pub async fn info_in_step(&self) -> Result<NodeInfo> {
        let info = self.info().await?;
        if !info.synchronized || info.target_height > info.height {
            return Err(Error::Behind(self.rpc.name()));
        }
        if !self.steady.lock().takes(info.height, Instant::now()) {
            return Err(Error::Unsteady(self.rpc.name()));
        }
        Ok(info)
    }

    /// Returns a transaction in the pool or chain; `None`: in neither.
    pub async fn transaction(&self, txid: &Txid) -> Result<Option<NodeTransaction>> {
        let question = json!({"txs_hashes": [txid.to_string()], "decode_as_json": false, "prune": false});
        let answer: Transactions = self.rpc.post("get_transactions", question).await?;
        self.good(&answer.status)?;
        let Some(entry) = answer.txs.into_iter().next() else { return Ok(None) };
        entry.seen().map(Some).ok_or_else(|| self.malformed())
    }

    /// Returns each of these transactions with its bytes, in order; `None`: in neither pool nor chain. Each request
    /// asks for as many as surely fit into an answer, so that large ones cannot hide others.
    pub async fn transactions(&self, txids: &[Txid]) -> Result<Vec<Option<NodeTransaction>>> {
        let mut found = Vec::with_capacity(txids.len());
        for some in txids.chunks((self.rpc.longest() / ENTRY).clamp(1, AT_ONCE)) {
            let names: Vec<String> = some.iter().map(Txid::to_string).collect();
            let question = json!({"txs_hashes": names, "decode_as_json": false, "prune": false});
            let answer: Transactions = self.rpc.post("get_transactions", question).await?;
            self.good(&answer.status)?;
            for txid in names {
                let entry = answer.txs.iter().find(|entry| entry.tx_hash == txid);
                found.push(entry.map(|entry| entry.seen().ok_or_else(|| self.malformed())).transpose()?);
            }
        }
        Ok(found)
    }

    /// Returns the transactions in the pool.
    pub async fn pool(&self) -> Result<Vec<Txid>> {
        let answer: PoolHashes = self.rpc.post("get_transaction_pool_hashes", json!({})).await?;
        self.good(&answer.status)?;
        self.txids(&answer.tx_hashes)
    }

    /// Returns the block with this number.
    pub async fn block(&self, height: u64) -> Result<Block> {
        let WholeBlock { block_header, tx_hashes } = self.rpc.call("get_block", json!({"height": height})).await?;
        let BlockHeader { hash, prev_hash: previous } = block_header;
        Ok(Block { hash, previous, txids: self.txids(&tx_hashes)? })
    }

    fn txids(&self, names: &[String]) -> Result<Vec<Txid>> {
        names.iter().map(|name| name.parse().map_err(|_| self.malformed())).collect()
    }

    fn malformed(&self) -> Error {
        Error::Malformed(self.rpc.name())
    }

    /// Returns the position of each of these transactions, in order; `None`: in neither pool nor chain.
    pub async fn positions(&self, txids: &[String]) -> Result<Vec<Option<BlockPosition>>> {
        let mut places = Vec::with_capacity(txids.len());
        for some in txids.chunks(AT_ONCE) {
            let question = json!({"txs_hashes": some, "decode_as_json": false, "prune": true});
            let answer: Transactions = self.rpc.post("get_transactions", question).await?;
            self.good(&answer.status)?;
            for txid in some {
                let entry = answer.txs.iter().find(|entry| entry.tx_hash == *txid);
                let position = entry.map(|entry| entry.position().ok_or_else(|| self.malformed()));
                places.push(position.transpose()?);
            }
        }
        Ok(places)
    }

    pub async fn block_count(&self) -> Result<u64> {
        let Count { count } = self.rpc.call("get_block_count", json!({})).await?;
        Ok(count)
    }

    /// Mines blocks on a test chain and returns the number of the newest.
    pub async fn generate_blocks(&self, blocks: u64, address: &str) -> Result<u64> {
        let parameters = json!({"amount_of_blocks": blocks, "wallet_address": address, "starting_nonce": 0});
        let Height { height } = self.rpc.call("generateblocks", parameters).await?;
        Ok(height)
    }

    /// Removes transactions from the pool, as if they had never been sent.
    pub async fn flush_pool(&self, txids: &[Txid]) -> Result<()> {
        let txids: Vec<String> = txids.iter().map(Txid::to_string).collect();
        let Status { status } = self.rpc.call("flush_txpool", json!({"txids": txids})).await?;
        self.good(&status)
    }

    /// Sends a transaction's bytes to the network.
    pub async fn send(&self, blob: &[u8]) -> Result<()> {
        let hex = blob.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let Status { status } = self.rpc.post("send_raw_transaction", json!({"tx_as_hex": hex})).await?;
        self.good(&status)
    }

    /// Removes the newest blocks from the chain; their transactions return to the pool.
    pub async fn pop_blocks(&self, blocks: u64) -> Result<u64> {
        let Height { height } = self.rpc.post("pop_blocks", json!({"nblocks": blocks})).await?;
        Ok(height)
    }

    /// Returns the error for an answer that is impossible on its chain.
    pub(crate) fn contradicts(&self) -> Error {
        Error::Unsteady(self.rpc.name())
    }

    fn good(&self, status: &str) -> Result<()> {
        if status == "OK" {
            return Ok(());
        }
        Err(Error::Refused { endpoint: self.rpc.name(), code: 0, message: status.to_owned() })
    }
}
