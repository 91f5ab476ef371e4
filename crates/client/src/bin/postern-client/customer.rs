//! The paying person at the terminal, or a script.

use crate::print::{printable, say};
use async_trait::async_trait;
use client::toll::{Bill, News, Person};
use dialoguer::Confirm;
use serde_json::json;
use std::io::IsTerminal;
use std::time::Duration;
use tpat::amount::format_xmr;

#[derive(Debug)]
pub struct Customer {
    pub json: bool,
}

impl Customer {
    /// `0.002 XMR and 0.00003 XMR to the network, for 100 requests within 1h`
    pub fn offer(bill: &Bill, fee: Option<u64>) -> String {
        let fee = match fee {
            Some(fee) => format!("{} XMR", format_xmr(fee)),
            None => "the usual fee".to_owned(),
        };
        let span = humantime::format_duration(Duration::from_secs(bill.ttl_s));
        format!("{} XMR and {fee} to the network, for {} requests within {span}", format_xmr(bill.piconero), bill.quota)
    }

    fn sentence(news: &News) -> String {
        match news {
            News::Paid { txid, piconero, fee } => {
                format!("Paid {} XMR, and {} XMR to the network: {txid}", format_xmr(*piconero), format_xmr(*fee))
            }
            News::Resumed { txid } => format!("Continuing with a payment of an earlier run: {txid}"),
            News::SentAgain { txid } => format!("The network did not know {txid}: the same payment was sent again."),
            News::Left(left) => format!("Not removed: {left}."),
            News::Waits => "Another run is paying at this gate: waiting for it.".to_owned(),
            News::NotSeen { seconds } => format!("The gate has not seen the payment yet. Asking again in {seconds} s."),
            News::Seen { have, need, seconds } => {
                format!("Seen: {have} of {need} confirmations. Asking again in {seconds} s.")
            }
            News::Busy { seconds } => format!("The gate cannot check at the moment. Asking again in {seconds} s."),
            News::Redeemed { quota, provisional, .. } => {
                let until = if *provisional { ", for now, until the payment is confirmed" } else { "" };
                format!("The payment is accepted: {quota} requests{until}.")
            }
        }
    }

    fn value(news: &News) -> serde_json::Value {
        match news {
            News::Paid { txid, piconero, fee } => {
                json!({"toll": "paid", "txid": txid, "piconero": piconero.to_string(), "fee": fee.to_string()})
            }
            News::Resumed { txid } => json!({"toll": "resumed", "txid": txid}),
            News::SentAgain { txid } => json!({"toll": "sent_again", "txid": txid}),
            News::Left(left) => json!({"toll": "left_in_keyring", "item": left}),
            News::Waits => json!({"toll": "waits"}),
            News::NotSeen { seconds } => json!({"toll": "not_seen", "seconds": seconds}),
            News::Seen { have, need, seconds } => {
                json!({"toll": "seen", "have": have, "need": need, "seconds": seconds})
            }
            News::Busy { seconds } => json!({"toll": "busy", "seconds": seconds}),
            News::Redeemed { quota, expires, provisional } => {
                json!({"toll": "redeemed", "quota": quota, "expires": expires, "provisional": provisional})
            }
        }
    }
}

#[async_trait]
impl Person for Customer {
    /// The answer may go to a file; the person types on standard input and reads standard error.
    fn is_there(&self) -> bool {
        !self.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    async fn agrees(&self, bill: &Bill, fee: u64) -> bool {
        let question = format!("Pay {}?", printable(&Self::offer(bill, Some(fee))));
        let asked = tokio::task::spawn_blocking(|| Confirm::new().with_prompt(question).default(false).interact());
        matches!(asked.await, Ok(Ok(true)))
    }

    fn hears(&self, news: &News) {
        // A closed standard error is ignored.
        drop(if self.json { say(Self::value(news)) } else { say(printable(&Self::sentence(news))) });
    }

    async fn waits(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}
