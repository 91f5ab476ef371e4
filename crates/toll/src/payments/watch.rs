//! Watches payments that may still disappear: all of them with each new block, unconfirmed ones with each check.

use super::PaymentService;
use super::chain_state::{Error, Tip};
use super::redeem::saturating_i64;
use monero::{BlockPosition, Node, NodeInfo};
use store::toll::{ChainView, TransactionStatus, Waiting};

/// Confirmations after which a payment is no longer watched.
const SETTLED: i64 = 20;
/// Maximum number of transactions in no block that one check queries, a hundred in each query. The next check continues
/// with the others.
const AT_A_LOOK: u32 = 300;

/// Period in which each check looks for a payment that has disappeared, because a pool may take it again. It is longer
/// than pools keep transactions, which is seven days at most. Later, looking with each new block is enough.
const LOST_MS: i64 = 7 * 86_400_000;

impl PaymentService {
    /// Checks recent payments: suspends tokens whose payment has disappeared, and resumes them when it returns. After a
    /// new block it checks all of them. Otherwise it checks those in no block, because another transaction may spend
    /// their money at any time, and one that disappeared may return.
    ///
    /// # Errors
    /// No node answers, or the store does not answer. Then the next check repeats all of it.
    pub async fn look_at_chain(&self) -> Result<(), Error> {
        let looked = self.look_for_all().await;
        self.chain.note(&looked, (self.environment.now)());
        looked
    }

    /// Checks whether the verifier answers.
    ///
    /// # Errors
    /// The verifier does not answer.
    pub async fn check_verifier(&self) -> Result<(), monero::Error> {
        let checked = self.verifier.check().await;
        self.chain.note_verifier(&checked, (self.environment.now)());
        checked
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
            let seen = status(position);
            let before = waiting
                .get(at)
                .map(|waiting| if waiting.gone { TransactionStatus::Gone } else { TransactionStatus::Pool });
            // Its position has not changed.
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

    /// Returns transactions in no block, as many as one check may query.
    async fn in_no_block(&self) -> Result<Vec<Waiting>, Error> {
        let after = self.chain.after.lock().clone();
        let lost_since = (self.environment.now)() - LOST_MS;
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

fn status(position: Option<BlockPosition>) -> TransactionStatus {
    match position {
        Some(BlockPosition { block: Some(block), .. }) => TransactionStatus::Block(saturating_i64(block)),
        Some(BlockPosition { double_spend_seen: false, .. }) => TransactionStatus::Pool,
        // With a double spend in the pool, it may never be mined.
        None | Some(_) => TransactionStatus::Gone,
    }
}
