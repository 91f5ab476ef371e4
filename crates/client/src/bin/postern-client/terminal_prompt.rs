//! The paying person at the terminal, or a script.

use crate::print::{printable, say};
use async_trait::async_trait;
use client::toll::{Offer, PaymentEvent, Prompt};
use dialoguer::Confirm;
use serde_json::json;
use std::io::IsTerminal;
use std::time::Duration;
use tpat::amount::format_xmr;

#[derive(Debug)]
pub(crate) struct TerminalPrompt {
    pub json: bool,
}

impl TerminalPrompt {
    /// Formats an offer: `0.002 XMR and 0.00003 XMR to the network, for 100 requests within 1h`.
    pub(crate) fn offer(offer: &Offer, fee: Option<u64>) -> String {
        let fee = match fee {
            Some(fee) => format!("{} XMR", format_xmr(fee)),
            None => "the usual fee".to_owned(),
        };
        let span = humantime::format_duration(Duration::from_secs(offer.ttl_s));
        format!(
            "{} XMR and {fee} to the network, for {} requests within {span}",
            format_xmr(offer.piconero),
            offer.quota
        )
    }

    fn sentence(event: &PaymentEvent) -> String {
        match event {
            PaymentEvent::Paid { txid, piconero, fee } => {
                format!("Paid {} XMR, and {} XMR to the network: {txid}", format_xmr(*piconero), format_xmr(*fee))
            }
            PaymentEvent::Resumed { txid } => format!("Continuing with a payment of an earlier run: {txid}"),
            PaymentEvent::SentAgain { txid } => {
                format!("The network did not know {txid}: the same payment was sent again.")
            }
            PaymentEvent::Left(left) => format!("Not removed: {left}."),
            PaymentEvent::Waits => "Another run is paying at this gate: waiting for it.".to_owned(),
            PaymentEvent::NotSeen { seconds } => {
                format!("The gate has not seen the payment yet. Asking again in {seconds} s.")
            }
            PaymentEvent::Seen { have, need, seconds } => {
                format!("Seen: {have} of {need} confirmations. Asking again in {seconds} s.")
            }
            PaymentEvent::Busy { seconds } => {
                format!("The gate cannot check at the moment. Asking again in {seconds} s.")
            }
            PaymentEvent::Redeemed { quota, provisional, .. } => {
                let until = if *provisional { ", for now, until the payment is confirmed" } else { "" };
                format!("The payment is accepted: {quota} requests{until}.")
            }
        }
    }

    fn value(event: &PaymentEvent) -> serde_json::Value {
        match event {
            PaymentEvent::Paid { txid, piconero, fee } => {
                json!({"toll": "paid", "txid": txid, "piconero": piconero.to_string(), "fee": fee.to_string()})
            }
            PaymentEvent::Resumed { txid } => json!({"toll": "resumed", "txid": txid}),
            PaymentEvent::SentAgain { txid } => json!({"toll": "sent_again", "txid": txid}),
            PaymentEvent::Left(left) => json!({"toll": "left_in_keyring", "item": left}),
            PaymentEvent::Waits => json!({"toll": "waits"}),
            PaymentEvent::NotSeen { seconds } => json!({"toll": "not_seen", "seconds": seconds}),
            PaymentEvent::Seen { have, need, seconds } => {
                json!({"toll": "seen", "have": have, "need": need, "seconds": seconds})
            }
            PaymentEvent::Busy { seconds } => json!({"toll": "busy", "seconds": seconds}),
            PaymentEvent::Redeemed { quota, expires, provisional } => {
                json!({"toll": "redeemed", "quota": quota, "expires": expires, "provisional": provisional})
            }
        }
    }
}

#[async_trait]
impl Prompt for TerminalPrompt {
    /// Whether a person can be asked, who types on standard input and reads standard error. The answer may go to a
    /// file.
    fn is_interactive(&self) -> bool {
        !self.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    async fn confirm(&self, offer: &Offer, fee: u64) -> bool {
        let question = format!("Pay {}?", printable(&Self::offer(offer, Some(fee))));
        let asked = tokio::task::spawn_blocking(|| Confirm::new().with_prompt(question).default(false).interact());
        matches!(asked.await, Ok(Ok(true)))
    }

    fn notify(&self, event: &PaymentEvent) {
        // A closed standard error is ignored.
        drop(if self.json { say(Self::value(event)) } else { say(printable(&Self::sentence(event))) });
    }

    async fn wait(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}
