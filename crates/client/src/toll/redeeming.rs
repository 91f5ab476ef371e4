//! Exchanges a payment for a token.

use super::asking::{Gate, Shown, problem, read};
use super::counter::Counter;
use super::person::{News, Person};
use super::purse::{Payment, Secret, Ticket};
use crate::{Answer, Error, Machine, ProofKey, Result};
use wire::toll::{Code, Pending, Redeemed};

/// Pause if the gate names none, in seconds.
const PAUSE: u64 = 5;
/// Minimum and maximum pause, whatever the gate says.
const PAUSES: std::ops::RangeInclusive<u64> = 1..=120;

/// A gate's answer to a presented payment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Good(Redeemed),
    /// Ask again: the payment is valid.
    Wait(News, u64),
    /// Refused permanently.
    No(String),
}

impl Counter<'_> {
    /// Presents a payment until the gate issues a token, refuses, or the time limit passes. `earlier`: if the gate does
    /// not know the payment, ensures that the network does.
    pub(super) async fn redeem(
        &self,
        gate: &Gate<'_>,
        key: &ProofKey,
        payment: &Payment,
        proof: &str,
        mut earlier: bool,
    ) -> Result<Ticket> {
        let shown = Shown { challenge: &payment.bill.challenge, txid: &payment.txid, proof };
        let mut patience = self.patience;
        loop {
            let answer = gate.redeem(key, &payment.bill.redeem, &shown).await?;
            let (news, seconds) = match judge(&answer)? {
                Said::Good(redeemed) => return Ok(ticket(self.person, payment, redeemed)),
                Said::Wait(news, seconds) => (news, seconds),
                Said::No(title) => {
                    let (origin, txid) = (gate.http().server().origin(), payment.txid.clone());
                    return Err(Error::PaymentRefused { origin, txid, title });
                }
            };
            self.person.hears(&news);
            if matches!(news, News::NotSeen { .. }) && std::mem::take(&mut earlier) {
                self.send_again(payment, now_there(&answer, self.machine)).await?;
            }
            patience =
                patience.checked_sub(seconds).ok_or_else(|| Error::PaymentOnItsWay { txid: payment.txid.clone() })?;
            self.person.waits(seconds).await;
        }
    }
}

/// Returns the gate's time in unix seconds, which its offers use, or this machine's time if the gate sends none.
fn now_there(answer: &Answer, machine: &dyn Machine) -> u64 {
    let here = u64::try_from(machine.now() / 1000).unwrap_or_default();
    answer.date().unwrap_or(here)
}

fn ticket(person: &dyn Person, payment: &Payment, redeemed: Redeemed) -> Ticket {
    let Redeemed { token, expires, quota, provisional, .. } = redeemed;
    person.hears(&News::Redeemed { quota, expires, provisional });
    Ticket {
        token: Secret::from(token),
        path: payment.path.clone(),
        txid: payment.txid.clone(),
        piconero: payment.bill.piconero,
        expires,
        left: quota,
    }
}

fn judge(answer: &Answer) -> Result<Said> {
    match answer.status {
        200 => Ok(Said::Good(read(answer)?)),
        202 => {
            let Pending { have, need, retry_after, .. } = read(answer)?;
            let seconds = pause(Some(retry_after));
            Ok(Said::Wait(News::Seen { have, need, seconds }, seconds))
        }
        _ => {
            let problem = problem(answer).ok_or_else(|| answer.foreign())?;
            let seconds = pause(problem.retry_after);
            Ok(match (problem.code, problem.status) {
                (Code::NotFound | Code::DoubleSpent, _) => Said::Wait(News::NotSeen { seconds }, seconds),
                (_, 429 | 502..=504) => Said::Wait(News::Busy { seconds }, seconds),
                _ => Said::No(problem.title),
            })
        }
    }
}

fn pause(asked: Option<u64>) -> u64 {
    asked.unwrap_or(PAUSE).clamp(*PAUSES.start(), *PAUSES.end())
}
