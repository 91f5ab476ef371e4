//! The required parts of a node's answers.

use crate::seen::{BlockPosition, NodeTransaction};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Transactions {
    pub status: String,
    #[serde(default)]
    pub txs: Vec<Entry>,
}

#[derive(Deserialize)]
pub(crate) struct Entry {
    #[serde(default)]
    pub tx_hash: String,
    #[serde(default)]
    pub as_hex: String,
    #[serde(default)]
    pub pruned_as_hex: String,
    #[serde(default)]
    pub prunable_as_hex: String,
    pub in_pool: bool,
    #[serde(default)]
    pub block_height: Option<u64>,
    #[serde(default)]
    pub block_timestamp: Option<u64>,
    #[serde(default)]
    pub received_timestamp: Option<u64>,
    pub double_spend_seen: bool,
}

impl Entry {
    /// Returns the position. `None`: the entry contradicts itself.
    pub(crate) fn position(&self) -> Option<BlockPosition> {
        let block = if self.in_pool { None } else { Some(self.block_height?) };
        Some(BlockPosition { block, double_spend_seen: self.double_spend_seen })
    }

    /// Returns the transaction. `None`: the entry contradicts itself, or its bytes are invalid.
    pub(crate) fn seen(&self) -> Option<NodeTransaction> {
        let BlockPosition { block, double_spend_seen } = self.position()?;
        let since = if self.in_pool { self.received_timestamp } else { self.block_timestamp };
        let blob = if self.as_hex.is_empty() {
            bytes(&format!("{}{}", self.pruned_as_hex, self.prunable_as_hex))?
        } else {
            bytes(&self.as_hex)?
        };
        Some(NodeTransaction { blob, block, since: since.filter(|&since| since > 0), double_spend_seen })
    }
}

#[derive(Deserialize)]
pub(crate) struct PoolHashes {
    pub status: String,
    /// Hashes of transactions; omitted if there are none.
    #[serde(default)]
    pub tx_hashes: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct WholeBlock {
    pub block_header: BlockHeader,
    #[serde(default)]
    pub tx_hashes: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Count {
    pub count: u64,
}

#[derive(Deserialize)]
pub(crate) struct Height {
    pub height: u64,
}

#[derive(Deserialize)]
pub(crate) struct BlockHeader {
    pub hash: String,
    #[serde(default)]
    pub prev_hash: String,
}

#[derive(Deserialize)]
pub(crate) struct Status {
    pub status: String,
}

pub(crate) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}
