//! Finds payments to assigned addresses without a proof. With the view key, every new transaction of the pool and of
//! new blocks is read once. A payment is counted for its offer until the offer's browser asks for it.

use super::Booth;
use super::people::{ACCOUNT, Sight, Watch};
use super::redeem::whole;
use super::watch::Error;
use domain::encoding::base64url;
use monero::{Node, Seen};
use std::collections::HashMap;
use store::leases::Lease;
use store::toll::{PaymentId, Redemption, Terms};
use tokio::sync::Mutex;
use tpat::{Received, Txid};

/// Transactions read in one scan; the next scan continues.
const AT_ONCE: usize = 100;
/// Maximum from the pool in one scan, so that a full pool does not prevent reading blocks.
const OF_POOL: usize = 60;
const BLOCKS: usize = 10;
/// Number of blocks to read again after a reorganisation.
const BACK: u64 = 10;

/// How far pool and chain were read.
#[derive(Debug, Default)]
pub struct Follower(Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    /// Transactions of the pool that were read; `false`: read again when it is in a block.
    read: HashMap<Txid, bool>,
    next: Option<Next>,
}

/// The next block to read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Next {
    number: u64,
    /// The hash of the previous block, if it was read.
    behind: Option<String>,
}

/// The state of one scan.
struct Look {
    txids: Vec<Txid>,
    next: Next,
    /// Transactions to remember: in the pool, or in a partly read block.
    here: Vec<Txid>,
}

impl Booth {
    /// Reads new transactions while any address is assigned.
    ///
    /// # Errors
    /// No node answers, or the store fails. The next scan repeats everything.
    pub async fn follow(&self) -> Result<(), Error> {
        let Some(people) = &self.people else { return Ok(()) };
        let mut reading = self.follower.0.lock().await;
        let leases = self.store.leases((self.surroundings.now)()).await?;
        let Some(first) = leases.iter().map(|lease| lease.searched).min() else {
            *reading = Reading::default();
            return Ok(());
        };
        let (node, info) = self.node().await?;
        let look = reading.gather(node, info.height, first.unsigned_abs()).await?;
        let seen = node.transactions(&look.txids).await?;
        let seen: Vec<(Txid, Seen)> =
            look.txids.iter().zip(seen).filter_map(|(txid, seen)| Some((*txid, seen?))).collect();
        if !seen.is_empty() {
            // Assignments must be read after the transactions: every payer in those already had the address.
            let watch = people.watch(self.store.leases((self.surroundings.now)()).await?);
            for (txid, seen, sight) in scan(watch, seen).await? {
                let done = self.take(&txid, &seen, sight, whole(info.height)).await?;
                reading.read.insert(txid, done);
            }
        }
        let moved = reading.next.as_ref().is_none_or(|next| next.number < look.next.number);
        reading.end(look);
        if let Some(next) = reading.next.as_ref().filter(|_| moved) {
            self.store.searched(whole(next.number)).await?;
        }
        Ok(())
    }

    /// Counts a transaction. Returns `false` if it may count later, in a block.
    async fn take(&self, txid: &Txid, seen: &Seen, sight: Sight, height: i64) -> Result<bool, Error> {
        let payment = self.secrets.log_name_of(txid);
        let found = match sight {
            Sight::Nothing => return Ok(true),
            Sight::Refused(refusal) => {
                tracing::info!(payment, cause = %refusal, "a payment to an assigned address cannot be counted");
                return Ok(true);
            }
            Sight::Mistaken => {
                tracing::warn!(payment, "the node returned another transaction than requested");
                return Ok(false);
            }
            // It may never be in a block.
            Sight::Paid(_) if seen.double_spend_seen && seen.block.is_none() => return Ok(false),
            Sight::Paid(found) => found,
        };
        for (lease, received) in found {
            // In a block from before the assignment: another person's payment.
            let before = seen.block.is_some_and(|block| whole(block) < lease.height);
            if received.unlock_time != 0 || before {
                tracing::info!(payment, before, "a payment to an assigned address cannot be counted");
                continue;
            }
            let redemption = self.redemption_for(lease, txid, seen, &received, height);
            let refused = self.store.count_payment(&redemption).await?;
            tracing::info!(payment, route = redemption.route, ?refused, "a payment to an assigned address");
        }
        Ok(true)
    }

    fn redemption_for(&self, lease: Lease, txid: &Txid, seen: &Seen, received: &Received, height: i64) -> Redemption {
        let in_time = seen.since.is_some_and(|since| whole(since).saturating_mul(1000) < lease.expires_at);
        let expires_at = if in_time { i64::MAX } else { lease.expires_at };
        Redemption {
            payment: PaymentId { txid: txid.to_string(), account: ACCOUNT, subaddress: lease.subaddress },
            challenge: lease.challenge,
            route: lease.route,
            jkt: String::new(),
            piconero: whole(received.total),
            outputs: received.outputs.iter().map(|output| base64url(&output.one_time_key)).collect(),
            block: seen.block.map(whole),
            height,
            // The offer contains what it buys; that is evaluated when the browser asks.
            terms: Terms { price: 1, quota: 0, ttl_ms: 0, confirmations: Vec::new(), expires_at },
            now: (self.surroundings.now)(),
        }
    }
}

impl Reading {
    /// Collects new transactions up to the limit. `height`: number of blocks; `first`: the start, if nothing was read
    /// yet.
    async fn gather(&self, node: &Node, height: u64, first: u64) -> Result<Look, monero::Error> {
        let pool = node.pool().await?;
        let new = pool.iter().filter(|txid| !self.read.contains_key(txid));
        let mut txids: Vec<Txid> = new.take(OF_POOL).copied().collect();
        let mut next = self.next.clone().unwrap_or(Next { number: first, behind: None });
        let mut here = pool;
        if next.number > height {
            next = Next::before(height);
        }
        for _ in 0..BLOCKS {
            if next.number >= height {
                break;
            }
            let block = node.block(next.number).await?;
            if next.behind.as_ref().is_some_and(|behind| *behind != block.previous) {
                next = Next::before(next.number);
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
            next = Next { number: next.number + 1, behind: Some(block.hash) };
        }
        Ok(Look { txids, next, here })
    }

    fn end(&mut self, look: Look) {
        self.next = Some(look.next);
        let here: std::collections::HashSet<Txid> = look.here.into_iter().collect();
        self.read.retain(|txid, _| here.contains(txid));
    }
}

impl Next {
    /// Returns a position some blocks earlier.
    fn before(number: u64) -> Self {
        Self { number: number.saturating_sub(BACK), behind: None }
    }
}

/// Runs on threads that serve no requests.
async fn scan(watch: Watch, seen: Vec<(Txid, Seen)>) -> Result<Vec<(Txid, Seen, Sight)>, Error> {
    let scanned = tokio::task::spawn_blocking(move || {
        let sighted = seen.into_iter().map(|(txid, seen)| {
            let sight = watch.look(&txid, &seen);
            (txid, seen, sight)
        });
        sighted.collect()
    });
    scanned.await.map_err(|_| monero::Error::Ending.into())
}
