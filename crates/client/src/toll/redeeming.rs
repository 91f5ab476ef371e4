//! Exchanges a payment for a token.

use super::account::{OpenPayment, Secret, StoredToken};
use super::gate_client::{GateClient, PresentedPayment, problem, read};
use super::paying_client::PayingClient;
use super::prompt::{PaymentEvent, Prompt};
use crate::{Answer, Environment, Error, ProofKey, Result};
use wire::toll::{PendingRedemption, RedeemedToken, TollCode};

/// Pause if the gate names none, in seconds.
const PAUSE: u64 = 5;
/// Minimum and maximum pause in seconds, for any answer of the gate.
const PAUSES: std::ops::RangeInclusive<u64> = 1..=120;

/// A gate's answer to a presented payment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RedeemReply {
    Good(RedeemedToken),
    /// The payment is valid: present it again after this many seconds.
    Wait(PaymentEvent, u64),
    /// Refused permanently.
    No(String),
}

impl PayingClient<'_> {
    /// Presents a payment until the gate issues a token, refuses, or the time limit passes. `earlier`: if the gate does
    /// not know the payment, ensures that the network does.
    pub(super) async fn redeem(
        &self,
        gate: &GateClient<'_>,
        key: &ProofKey,
        payment: &OpenPayment,
        proof: &str,
        mut earlier: bool,
    ) -> Result<StoredToken> {
        let shown = PresentedPayment { challenge: &payment.offer.challenge, txid: &payment.txid, proof };
        let mut wait_seconds = self.wait_seconds;
        loop {
            let answer = gate.redeem(key, &payment.offer.redeem, &shown).await?;
            let (event, seconds) = match judge(&answer)? {
                RedeemReply::Good(redeemed) => return Ok(stored(self.prompt, payment, redeemed)),
                RedeemReply::Wait(event, seconds) => (event, seconds),
                RedeemReply::No(title) => {
                    let (origin, txid) = (gate.http().server().origin(), payment.txid.clone());
                    return Err(Error::PaymentRefused { origin, txid, title });
                }
            };
            self.prompt.notify(&event);
            if matches!(event, PaymentEvent::NotSeen { .. }) && std::mem::take(&mut earlier) {
                self.send_again(payment, now_there(&answer, self.environment)).await?;
            }
            wait_seconds = wait_seconds
                .checked_sub(seconds)
                .ok_or_else(|| Error::PaymentOnItsWay { txid: payment.txid.clone() })?;
            self.prompt.wait(seconds).await;
        }
    }
}

/// Returns the gate's time in unix seconds, which its offers use, or this machine's time if the gate sends none.
fn now_there(answer: &Answer, environment: &dyn Environment) -> u64 {
    let here = u64::try_from(environment.now() / 1000).unwrap_or_default();
    answer.date().unwrap_or(here)
}

fn stored(prompt: &dyn Prompt, payment: &OpenPayment, redeemed: RedeemedToken) -> StoredToken {
    let RedeemedToken { token, expires, quota, provisional, .. } = redeemed;
    prompt.notify(&PaymentEvent::Redeemed { quota, expires, provisional });
    StoredToken {
        token: Secret::from(token),
        path: payment.path.clone(),
        txid: payment.txid.clone(),
        piconero: payment.offer.piconero,
        expires,
        left: quota,
    }
}

fn judge(answer: &Answer) -> Result<RedeemReply> {
    match answer.status {
        200 => Ok(RedeemReply::Good(read(answer)?)),
        202 => {
            let PendingRedemption { have, need, retry_after, .. } = read(answer)?;
            let seconds = pause(Some(retry_after));
            Ok(RedeemReply::Wait(PaymentEvent::Seen { have, need, seconds }, seconds))
        }
        _ => {
            let problem = problem(answer).ok_or_else(|| answer.foreign())?;
            let seconds = pause(problem.retry_after);
            Ok(match (problem.code, problem.status) {
                (TollCode::NotFound | TollCode::DoubleSpent, _) => {
                    RedeemReply::Wait(PaymentEvent::NotSeen { seconds }, seconds)
                }
                (_, 429 | 502..=504) => RedeemReply::Wait(PaymentEvent::Busy { seconds }, seconds),
                _ => RedeemReply::No(problem.title),
            })
        }
    }
}

fn pause(asked: Option<u64>) -> u64 {
    asked.unwrap_or(PAUSE).clamp(*PAUSES.start(), *PAUSES.end())
}
