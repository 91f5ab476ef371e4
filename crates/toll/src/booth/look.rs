//! Asks a node about a payment and judges the answer.

use super::Booth;
use crate::declined::Declined;
use monero::{Claim, Error, Finding, Payment};
use tpat::Refusal;
use wire::toll::Code;

impl Booth {
    /// Returns the payment of a claim.
    ///
    /// # Errors
    /// [`Declined`]: no node knows the transaction or answers; the proof is invalid; the money is locked or may never
    /// arrive.
    pub(super) async fn look(&self, claim: &Claim) -> Result<Payment, Declined> {
        if self.missing.contains_key(&claim.txid) {
            return Err(missing());
        }
        let payment = self.secrets.log_name_of(&claim.txid);
        match self.verifier.verify(claim).await {
            Ok(Finding::Paid(paid)) => judge(paid),
            Ok(Finding::NotFound) => {
                self.missing.insert(claim.txid, ());
                Err(missing())
            }
            Ok(Finding::Refused(refusal)) => {
                tracing::info!(payment, cause = %refusal, "a proof shows no payment");
                Err(refused(refusal))
            }
            Err(error) => {
                tracing::warn!(payment, cause = %error, "looking up a payment failed");
                Err(unavailable(&error))
            }
        }
    }
}

fn judge(paid: Payment) -> Result<Payment, Declined> {
    if paid.received.unlock_time != 0 {
        return Err(locked());
    }
    // A mined transaction has won against a double spend.
    if paid.double_spend_seen && paid.confirmations == 0 {
        let title = "Another transaction spends the same money. This one counts once it is in a block.";
        return Err(Declined::new(Code::DoubleSpent, title).retry_after(120));
    }
    Ok(paid)
}

fn missing() -> Declined {
    let title = "No node knows this transaction. If it was just sent, try again in a few seconds.";
    Declined::new(Code::NotFound, title).retry_after(5)
}

fn locked() -> Declined {
    Declined::new(Code::LockedFunds, "This money is locked, or comes from mining: it is not taken here.")
}

/// Reports that no node answers. Nothing is lost, since the payment is in the chain.
fn unavailable(error: &Error) -> Declined {
    let wait = if matches!(error, Error::Busy(_)) { 2 } else { 10 };
    let title = "The payment cannot be looked up now. Nothing is lost: do not pay again, and try later.";
    Declined::new(Code::NodeUnavailable, title).retry_after(wait)
}

fn refused(refusal: Refusal) -> Declined {
    match refusal {
        Refusal::Coinbase => locked(),
        Refusal::Signature => Declined::new(
            Code::WrongMessage,
            "The proof does not fit: it must be made for this transaction, the challenge's address and its message.",
        ),
        Refusal::TooLarge | Refusal::Unreadable | Refusal::Version | Refusal::BurnedOutput => {
            Declined::new(Code::UnsupportedTransaction, "A transaction of this kind is not taken here.")
        }
        // The node's fault, not the client's.
        Refusal::OtherTransaction => unavailable(&Error::Disagreement),
        Refusal::NoKey | Refusal::KeyCount | Refusal::ForgedAmount | Refusal::NothingReceived => {
            Declined::new(Code::BadProof, "The proof shows no payment to the challenge's address.")
        }
    }
}
