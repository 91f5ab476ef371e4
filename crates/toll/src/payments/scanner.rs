//! Finds payments to assigned addresses without a proof. With the view key, every new transaction of the pool and of
//! new blocks is read once. A payment is counted for its offer until the offer's browser asks for it.

use super::PaymentService;
use super::browser_addresses::{ACCOUNT, ScanResult, TransactionScanner};
use super::chain_state::Error;
use super::redeem::{begin_of, saturating_i64};
use super::scan_progress::ScanProgress;
use domain::UnixMs;
use domain::encoding::base64url;
use monero::NodeTransaction;
use store::address_assignments::AddressAssignment;
use store::toll::{OfferTerms, PaymentId, Redemption};
use tpat::{ReceivedPayment, Txid};

/// Maximum number of blocks to read for addresses whose offers have ended: about a week.
const BACKLOG: u64 = 5040;
/// Selects every assignment, ended ones too.
const EVER: UnixMs = UnixMs::EPOCH;

impl PaymentService {
    /// Reads new transactions as soon as an address was assigned. Payments to an address whose offer has ended are
    /// found as well, until the address is assigned again: they buy nothing, and are listed as too late.
    ///
    /// # Errors
    /// No node answers, or the store fails. The next scan repeats everything.
    pub async fn follow(&self) -> Result<(), Error> {
        let Some(browser_addresses) = &self.browser_addresses else { return Ok(()) };
        let mut progress = self.scanner.0.lock().await;
        let searched = |assignments: &[AddressAssignment]| {
            assignments.iter().map(|assignment| assignment.searched.unsigned_abs()).min()
        };
        let Some(oldest) = searched(&self.store.address_assignments(EVER).await?) else {
            *progress = ScanProgress::default();
            return Ok(());
        };
        let live = searched(&self.store.address_assignments((self.environment.now)()).await?);
        let (node, info) = self.node().await?;
        let first = oldest.max(info.height.saturating_sub(BACKLOG)).min(live.unwrap_or(u64::MAX));
        let look = progress.gather(node, info.height, first).await?;
        let seen = node.transactions(&look.txids).await?;
        let seen: Vec<(Txid, NodeTransaction)> =
            look.txids.iter().zip(seen).filter_map(|(txid, seen)| Some((*txid, seen?))).collect();
        if !seen.is_empty() {
            // Assignments must be read after the transactions: every payer in those already had the address.
            let scanner = browser_addresses.scanner(self.store.address_assignments(EVER).await?);
            for (txid, seen, result) in scan(scanner, seen).await? {
                let done = self.take(&txid, &seen, result, saturating_i64(info.height)).await?;
                progress.read.insert(txid, done);
            }
        }
        let moved = progress.next.as_ref().is_none_or(|next| next.number < look.next.number);
        progress.end(look);
        if let Some(next) = progress.next.as_ref().filter(|_| moved) {
            self.store.mark_searched(saturating_i64(next.number)).await?;
        }
        Ok(())
    }

    /// Counts a transaction. Returns `false` if it may count later, in a block.
    async fn take(&self, txid: &Txid, seen: &NodeTransaction, result: ScanResult, height: i64) -> Result<bool, Error> {
        let payment = self.secrets.log_name_of(txid);
        let found = match result {
            ScanResult::Nothing => return Ok(true),
            ScanResult::Refused(refusal) => {
                // Nothing else tells the operator about this money.
                tracing::info!(name: net::KEPT, payment, cause = %refusal, "a payment to an assigned address cannot be counted");
                return Ok(true);
            }
            ScanResult::Mistaken => {
                tracing::warn!(payment, "the node returned another transaction than requested");
                return Ok(false);
            }
            // It may never be in a block.
            ScanResult::Paid(_) if seen.double_spend_seen && seen.block.is_none() => return Ok(false),
            ScanResult::Paid(found) => found,
        };
        for (assignment, received) in found {
            // In a block from before the assignment: another person's payment.
            let before = seen.block.is_some_and(|block| saturating_i64(block) < assignment.height);
            if received.unlock_time != 0 || before {
                tracing::info!(name: net::KEPT, payment, before, "a payment to an assigned address cannot be counted");
                continue;
            }
            let redemption = self.redemption_for(assignment, txid, seen, &received, height);
            let refused = self.store.count_payment(&redemption).await?;
            tracing::info!(payment, route = redemption.route, ?refused, "a payment to an assigned address");
        }
        Ok(true)
    }

    fn redemption_for(
        &self,
        assignment: AddressAssignment,
        txid: &Txid,
        seen: &NodeTransaction,
        received: &ReceivedPayment,
        height: i64,
    ) -> Redemption {
        let in_time = seen.since.is_some_and(|since| begin_of(since) < assignment.expires_at);
        let expires_at = if in_time { UnixMs::MAX } else { assignment.expires_at };
        Redemption {
            payment: PaymentId { txid: txid.to_string(), account: ACCOUNT, subaddress: assignment.subaddress },
            challenge: assignment.challenge,
            route: assignment.route,
            jkt: None,
            piconero: saturating_i64(received.total),
            outputs: received.outputs.iter().map(|output| base64url(&output.one_time_key)).collect(),
            block: seen.block.map(saturating_i64),
            height,
            // The offer's own terms apply when the browser asks for its token.
            terms: OfferTerms { price: 1, quota: 0, ttl_ms: 0, confirmations: Vec::new(), expires_at },
            now: (self.environment.now)(),
        }
    }
}

/// Scans transactions on threads that serve no requests.
async fn scan(
    scanner: TransactionScanner,
    seen: Vec<(Txid, NodeTransaction)>,
) -> Result<Vec<(Txid, NodeTransaction, ScanResult)>, Error> {
    let scanned = tokio::task::spawn_blocking(move || {
        let sighted = seen.into_iter().map(|(txid, seen)| {
            let result = scanner.examine(&txid, &seen);
            (txid, seen, result)
        });
        sighted.collect()
    });
    scanned.await.map_err(|_| monero::Error::Ending.into())
}
