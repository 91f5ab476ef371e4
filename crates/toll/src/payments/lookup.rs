//! Asks a node about a payment and evaluates the answer.

use super::{MISSING_MS, PaymentService};
use crate::payment_problem::PaymentProblem;
use domain::UnixMs;
use monero::{ClaimResult, Error, PaymentClaim, VerifiedPayment};
use tpat::ProofRefusal;
use wire::toll::TollCode;

impl PaymentService {
    /// Returns the payment of a claim.
    ///
    /// # Errors
    /// [`PaymentProblem`]: no node knows the transaction or answers; the proof is invalid; the money is locked or may
    /// never arrive.
    pub(super) async fn look_up(&self, claim: &PaymentClaim, now: UnixMs) -> Result<VerifiedPayment, PaymentProblem> {
        if self.missing.get(&claim.txid).is_some_and(|until| now < until) {
            return Err(missing());
        }
        let payment = self.secrets.log_name_of(&claim.txid);
        match self.verifier.verify(claim).await {
            Ok(ClaimResult::Paid(paid)) => judge(paid),
            Ok(ClaimResult::NotFound) => {
                self.missing.insert(claim.txid, now + MISSING_MS);
                Err(missing())
            }
            Ok(ClaimResult::Refused(refusal)) => {
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

fn judge(paid: VerifiedPayment) -> Result<VerifiedPayment, PaymentProblem> {
    if paid.received.unlock_time != 0 {
        return Err(locked());
    }
    // A mined transaction has won against a double spend.
    if paid.double_spend_seen && paid.confirmations == 0 {
        let title = "Another transaction spends the same money. This one counts once it is in a block.";
        return Err(PaymentProblem::new(TollCode::DoubleSpent, title).retry_after(120));
    }
    Ok(paid)
}

fn missing() -> PaymentProblem {
    let title = "No node knows this transaction. If it was just sent, try again in a few seconds.";
    PaymentProblem::new(TollCode::NotFound, title).retry_after(5)
}

fn locked() -> PaymentProblem {
    PaymentProblem::new(TollCode::LockedFunds, "This money is locked or newly mined, and is not accepted.")
}

/// Reports that no node answers. Nothing is lost, since the payment is in the chain.
fn unavailable(error: &Error) -> PaymentProblem {
    let wait = if matches!(error, Error::Busy(_)) { 2 } else { 10 };
    let title = "The payment cannot be looked up now. Nothing is lost: do not pay again, and try later.";
    PaymentProblem::new(TollCode::NodeUnavailable, title).retry_after(wait)
}

fn refused(refusal: ProofRefusal) -> PaymentProblem {
    match refusal {
        ProofRefusal::Coinbase => locked(),
        ProofRefusal::Signature => PaymentProblem::new(
            TollCode::WrongMessage,
            "The proof does not match. Make it for this transaction, the challenge's address and its message.",
        ),
        ProofRefusal::TooLarge | ProofRefusal::Unreadable | ProofRefusal::Version | ProofRefusal::BurnedOutput => {
            PaymentProblem::new(TollCode::UnsupportedTransaction, "This kind of transaction is not accepted.")
        }
        // The node's fault, not the client's.
        ProofRefusal::OtherTransaction => unavailable(&Error::Disagreement),
        ProofRefusal::NoKey | ProofRefusal::KeyCount | ProofRefusal::ForgedAmount | ProofRefusal::NothingReceived => {
            PaymentProblem::new(TollCode::BadProof, "The proof shows no payment to the challenge's address.")
        }
    }
}
