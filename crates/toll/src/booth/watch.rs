//! Payments that may still go, looked at with each new block, and those in no block with each look.

use super::Booth;
use super::redeem::whole;
use monero::{Info, Node, Place};
use parking_lot::Mutex;
use store::toll::{Chain as Standing, Whereabouts};

/// Confirmations after which nobody looks any more.
const SETTLED: i64 = 20;
/// Transactions in the pool that one look asks about, a hundred to a question; the next look goes on with the
/// others.
const OF_POOL: u32 = 300;

/// The chain as the watcher saw it last.
#[derive(Debug, Default)]
pub struct Chain {
    tip: Mutex<Option<Tip>>,
    /// The last transaction of the pool that was asked about.
    after: Mutex<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tip {
    height: i64,
    hash: String,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Node(#[from] monero::Error),
}

impl Chain {
    /// Blocks; 0 while nobody knows.
    pub fn height(&self) -> i64 {
        self.tip.lock().as_ref().map_or(0, |tip| tip.height)
    }
}

impl Booth {
    /// Looks where young payments are: tokens whose payment is gone fall asleep, and wake when it is back. All
    /// of them, if there is another newest block than before; else those in the pool, since another
    /// transaction may spend their money at any time.
    ///
    /// # Errors
    /// No node can be asked, or the store does not answer; then the next look does all of it again.
    pub async fn look_at_chain(&self) -> Result<(), Error> {
        let (node, info) = self.node().await?;
        let tip = Tip { height: whole(info.height), hash: info.top_block_hash };
        let moved = self.chain.tip.lock().as_ref() != Some(&tip);
        let txids = if moved { self.store.unsettled().await? } else { self.of_pool().await? };
        let places = node.places(&txids).await?;
        let standing = Standing { height: tip.height, settled_after: SETTLED, now: (self.surroundings.now)() };
        for (txid, place) in txids.iter().zip(places) {
            let seen = whereabouts(place);
            // Nothing new: it is where it was.
            if !moved && seen == Whereabouts::Pool {
                continue;
            }
            for token in self.store.observe(txid, seen, standing).await? {
                let payment = self.secrets.log_name(txid);
                tracing::info!(payment, ?seen, "a payment moved");
                self.ledger.hear(&token).await?;
            }
        }
        *self.chain.tip.lock() = Some(tip);
        Ok(())
    }

    /// Those in the pool, as many as one look may ask about.
    async fn of_pool(&self) -> Result<Vec<String>, Error> {
        let after = self.chain.after.lock().clone();
        let txids = self.store.in_pool(&after, OF_POOL).await?;
        let all = txids.len() < OF_POOL as usize;
        *self.chain.after.lock() = txids.last().filter(|_| !all).cloned().unwrap_or_default();
        Ok(txids)
    }

    /// The first node that can be asked.
    pub(super) async fn node(&self) -> Result<(&Node, Info), monero::Error> {
        let mut last = monero::Error::Ending;
        for node in &self.nodes {
            match node.info_in_step().await {
                Ok(info) => return Ok((node, info)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn whereabouts(place: Option<Place>) -> Whereabouts {
    match place {
        Some(Place { block: Some(block), .. }) => Whereabouts::Block(whole(block)),
        Some(Place { double_spend_seen: false, .. }) => Whereabouts::Pool,
        // Where another transaction spends the same money, it may never be mined.
        None | Some(_) => Whereabouts::Gone,
    }
}
