//! Refusals of tokens, and of everything while the store does not answer.

use crate::ledger::TokenRefusal;
use crate::payment_problem::PaymentProblem;
use store::toll::TollToken;
use wire::toll::TollCode;

/// Checks that a token is active.
///
/// # Errors
/// The token is revoked or suspended.
pub(super) fn check_active(token: &TollToken) -> Result<(), PaymentProblem> {
    match TokenRefusal::of(token) {
        Some(refused) => Err(problem(refused)),
        None => Ok(()),
    }
}

/// Reports that an unconfirmed token has used up its provisional quota.
pub(super) fn awaiting_block() -> PaymentProblem {
    let title = "The payment is not in a block yet. The rest of this token can be used after that. Do not pay again.";
    PaymentProblem::new(TollCode::TooMany, title).retry_after(30)
}

pub(super) fn problem(refused: TokenRefusal) -> PaymentProblem {
    match refused {
        TokenRefusal::Spent => PaymentProblem::new(TollCode::TokenSpent, "This token is used up. Pay for another."),
        TokenRefusal::Over => PaymentProblem::new(TollCode::TokenSpent, "This token has expired. Pay for another."),
        TokenRefusal::Early => awaiting_block(),
        TokenRefusal::Asleep => PaymentProblem::new(
            TollCode::TokenSuspended,
            "The payment for this token has disappeared from the network. The token works again when the payment is back.",
        )
        .retry_after(120),
        TokenRefusal::Suspended => {
            PaymentProblem::new(TollCode::TokenSuspended, "This token was suspended by an administrator.")
        }
        TokenRefusal::Revoked => PaymentProblem::new(TollCode::TokenRevoked, "This token was revoked."),
    }
}

pub(super) fn store_failed(error: &store::Error) -> PaymentProblem {
    tracing::error!(cause = %error, "the store does not answer");
    PaymentProblem::unavailable()
}
