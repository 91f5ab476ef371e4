//! A payment becomes a ticket.

use super::asking::{Gate, Shown, problem, read};
use super::person::{News, Person};
use super::purse::{Payment, Secret, Ticket};
use crate::{Answer, Error, ProofKey, Result};
use wire::toll::{Code, Pending, Redeemed};

/// How long to wait where the gate does not say, seconds.
const PAUSE: u64 = 5;
/// The shortest and the longest pause, whatever the gate says.
const PAUSES: std::ops::RangeInclusive<u64> = 1..=120;

/// What the gate says of a payment that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Good(Redeemed),
    /// Ask again: nothing is wrong with the payment.
    Wait(News, u64),
    /// No, for good.
    No(String),
}

/// Shows a payment until the gate gives a token for it, or says no, or the person's patience of so many
/// seconds is over.
pub async fn redeem(
    gate: &Gate<'_>,
    person: &dyn Person,
    key: &ProofKey,
    payment: &Payment,
    proof: &str,
    mut patience: u64,
) -> Result<Ticket> {
    let shown = Shown { challenge: &payment.bill.challenge, txid: &payment.txid, proof };
    loop {
        let answer = gate.redeem(key, &payment.bill.redeem, &shown).await?;
        let (news, seconds) = match judge(&answer)? {
            Said::Good(redeemed) => return Ok(ticket(person, payment, redeemed)),
            Said::Wait(news, seconds) => (news, seconds),
            Said::No(title) => {
                let (origin, txid) = (gate.http().server().origin(), payment.txid.clone());
                return Err(Error::PaymentRefused { origin, txid, title });
            }
        };
        person.hears(&news);
        patience =
            patience.checked_sub(seconds).ok_or_else(|| Error::PaymentOnItsWay { txid: payment.txid.clone() })?;
        person.waits(seconds).await;
    }
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
