//! The progress of reading pool and chain, and the next part to read.

use monero::Node;
use std::collections::HashMap;
use tokio::sync::Mutex;
use tpat::Txid;

/// Maximum number of transactions in one scan. The next scan continues.
const AT_ONCE: usize = 100;
/// Maximum number of transactions from the pool in one scan, so that a full pool does not prevent reading blocks.
const OF_POOL: usize = 60;
const BLOCKS: usize = 10;
/// Number of blocks to read again after a reorganisation.
const BACK: u64 = 10;

/// The progress of reading pool and chain.
#[derive(Debug, Default)]
pub(super) struct PaymentScanner(pub(super) Mutex<ScanProgress>);

#[derive(Debug, Default)]
pub(super) struct ScanProgress {
    /// Transactions of the pool that were read; `false`: read again when it is in a block.
    pub(super) read: HashMap<Txid, bool>,
    pub(super) next: Option<NextBlock>,
}

/// The next block to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NextBlock {
    pub(super) number: u64,
    /// The hash of the previous block, if it was read.
    behind: Option<String>,
}

/// The state of one scan.
pub(super) struct ScanBatch {
    pub(super) txids: Vec<Txid>,
    pub(super) next: NextBlock,
    /// Transactions to remember: in the pool, or in a partly read block.
    here: Vec<Txid>,
}

impl ScanProgress {
    /// Collects new transactions up to the limit. `height`: number of blocks; `first`: the start, if nothing was read
    /// yet.
    pub(super) async fn gather(&self, node: &Node, height: u64, first: u64) -> Result<ScanBatch, monero::Error> {
        let pool = node.pool().await?;
        let new = pool.iter().filter(|txid| !self.read.contains_key(txid));
        let mut txids: Vec<Txid> = new.take(OF_POOL).copied().collect();
        let mut next = self.next.clone().unwrap_or(NextBlock { number: first, behind: None });
        let mut here = pool;
        if next.number > height {
            next = NextBlock::before(height);
        }
        for _ in 0..BLOCKS {
            if next.number >= height {
                break;
            }
            let block = node.block(next.number).await?;
            if next.behind.as_ref().is_some_and(|behind| *behind != block.previous) {
                next = NextBlock::before(next.number);
                continue;
            }
            let unread = |txid: &&Txid| self.read.get(txid) != Some(&true) && !txids.contains(txid);
            let new: Vec<Txid> = block.txids.iter().filter(unread).copied().collect();
            let room = AT_ONCE - txids.len();
            if new.len() > room {
                txids.extend(&new[..room]);
                here.extend(block.txids);
                break;
            }
            txids.extend(new);
            next = NextBlock { number: next.number + 1, behind: Some(block.hash) };
        }
        Ok(ScanBatch { txids, next, here })
    }

    /// Records what was read.
    pub(super) fn end(&mut self, look: ScanBatch) {
        self.next = Some(look.next);
        let here: std::collections::HashSet<Txid> = look.here.into_iter().collect();
        self.read.retain(|txid, _| here.contains(txid));
    }
}

impl NextBlock {
    /// Returns a position some blocks earlier.
    fn before(number: u64) -> Self {
        Self { number: number.saturating_sub(BACK), behind: None }
    }
}
