//! Watches payments that may still disappear: all of them with each new block, unconfirmed ones with each check.

use super::PaymentService;
use super::redeem::saturating_i64;
use domain::UnixMs;
use monero::{BlockPosition, Node, NodeInfo};
use parking_lot::Mutex;
use store::toll::{ChainView, Waiting, Whereabouts};

/// Confirmations after which a payment is no longer watched.
const SETTLED: i64 = 20;
/// Transactions in no block that one look asks about, a hundred to a question; the next look goes on with the
/// others.
const AT_A_LOOK: u32 = 300;

/// The chain at the last check.
#[derive(Debug, Default)]
pub struct ChainState {
    tip: Mutex<Option<Tip>>,
    /// The last transaction of those in no block that was asked about.
    after: Mutex<String>,
    looks: Mutex<Looks>,
}

/// How the last looks at the chain went.
#[derive(Debug, Clone, Copy, Default)]
struct Looks {
    seen_at: Option<UnixMs>,
    failed: bool,
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

/// Without a look that succeeded for so long, payments cannot be found: some two looks in a row have failed.
const AWAY_MS: i64 = 5_000;
/// A payment that is gone is looked for with each look for so long, since a pool may take it again: longer than pools
/// keep transactions, which is seven days at most. Later each new block is enough.
const LOST_MS: i64 = 7 * 86_400_000;

impl Looks {
    fn is_away(self, now: UnixMs) -> bool {
        self.failed && self.seen_at.is_none_or(|seen_at| now.saturating_sub(seen_at) >= AWAY_MS)
    }
}

impl ChainState {
    /// Whether no payment could be found now: no node answers and is in step, or the store does not answer.
    pub fn is_away(&self, now: UnixMs) -> bool {
        self.looks.lock().is_away(now)
    }

    /// When a look succeeded last.
    pub fn seen_at(&self) -> Option<UnixMs> {
        self.looks.lock().seen_at
    }

    fn note<T>(&self, looked: &Result<T, Error>, now: UnixMs) {
        let mut looks = self.looks.lock();
        looks.failed = looked.is_err();
        if looked.is_ok() {
            looks.seen_at = Some(now);
        }
    }

    /// Returns the number of blocks; 0 while unknown.
    pub fn height(&self) -> i64 {
        self.tip.lock().as_ref().map_or(0, |tip| tip.height)
    }
}

impl PaymentService {
    /// Looks where young payments are: tokens whose payment is gone fall asleep, and wake when it is back. All
    /// of them, if there is another newest block than before; else those in no block, since another transaction may
    /// spend their money at any time, and one that was gone may be back.
    ///
    /// # Errors
    /// No node can be asked, or the store does not answer; then the next look does all of it again.
    pub async fn look_at_chain(&self) -> Result<(), Error> {
        let looked = self.look_for_all().await;
        self.chain.note(&looked, (self.environment.now)());
        looked
    }

    async fn look_for_all(&self) -> Result<(), Error> {
        let (node, info) = self.node().await?;
        let tip = Tip { height: saturating_i64(info.height), hash: info.top_block_hash };
        let moved = self.chain.tip.lock().as_ref() != Some(&tip);
        let waiting = if moved { Vec::new() } else { self.in_no_block().await? };
        let txids = if moved {
            self.store.unsettled().await?
        } else {
            waiting.iter().map(|waiting| waiting.txid.clone()).collect()
        };
        let positions = node.positions(&txids).await?;
        let view = ChainView { height: tip.height, settled_after: SETTLED, now: (self.environment.now)() };
        for (at, (txid, position)) in txids.iter().zip(positions).enumerate() {
            let seen = whereabouts(position);
            let before =
                waiting.get(at).map(|waiting| if waiting.gone { Whereabouts::Gone } else { Whereabouts::Pool });
            // Unchanged.
            if before == Some(seen) {
                continue;
            }
            for token in self.store.observe(txid, seen, view).await? {
                let payment = self.secrets.log_name(txid);
                tracing::info!(payment, ?seen, "a payment changed its state");
                self.ledger.reload(&token).await?;
            }
        }
        *self.chain.tip.lock() = Some(tip);
        Ok(())
    }

    /// Those in no block, as many as one look may ask about.
    async fn in_no_block(&self) -> Result<Vec<Waiting>, Error> {
        let after = self.chain.after.lock().clone();
        let lost_since = (self.environment.now)().saturating_sub(LOST_MS);
        let waiting = self.store.in_no_block(&after, lost_since, AT_A_LOOK).await?;
        let all = waiting.len() < AT_A_LOOK as usize;
        *self.chain.after.lock() =
            waiting.last().filter(|_| !all).map(|waiting| waiting.txid.clone()).unwrap_or_default();
        Ok(waiting)
    }

    /// Returns the first node that answers.
    pub(super) async fn node(&self) -> Result<(&Node, NodeInfo), monero::Error> {
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

fn whereabouts(position: Option<BlockPosition>) -> Whereabouts {
    match position {
        Some(BlockPosition { block: Some(block), .. }) => Whereabouts::Block(saturating_i64(block)),
        Some(BlockPosition { double_spend_seen: false, .. }) => Whereabouts::Pool,
        // With a double spend in the pool, it may never be mined.
        None | Some(_) => Whereabouts::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_that_fails_is_no_node_that_is_away() {
        let looks = |seen_at, failed| Looks { seen_at, failed };
        for (looks, now, away) in [
            (looks(None, false), 9_000, false),
            (looks(None, true), 0, true),
            (looks(Some(1_000), true), 5_999, false),
            (looks(Some(1_000), true), 6_000, true),
            (looks(Some(1_000), false), 60_000, false),
        ] {
            assert_eq!(looks.is_away(now), away, "{looks:?} {now}");
        }
    }
}
