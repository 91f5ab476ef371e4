//! `postern-client toll`

use crate::args::Toll;
use crate::desk::Desk;
use crate::print::{self, at_a_terminal, moment};
use crate::stop::{Outcome, Stop};
use client::Server;
use client::toll::{Purse, Settings, WalletPayer};
use dialoguer::Confirm;
use serde_json::json;
use tpat::amount::format_xmr;
use wire::toll::Piconero;

pub async fn run(desk: &Desk, what: Option<Toll>) -> Outcome {
    match what {
        None => list(desk).await,
        Some(Toll::Set { max_pay, wallet }) => set(desk, max_pay, wallet),
        Some(Toll::Forget { gate, txid, yes }) => forget(desk, &gate, &txid, yes).await,
    }
}

async fn list(desk: &Desk) -> Outcome {
    let (settings, purses) = (Settings::load(&desk.storage)?, desk.storage.all::<Purse>().await?);
    let mut rows = Vec::new();
    for purse in &purses {
        for payment in &purse.payments {
            let state = "not redeemed yet";
            rows.push((purse.gate(), &payment.path, payment.bill.piconero, state.to_owned(), None, &payment.txid));
        }
        for ticket in &purse.tickets {
            let state = if ticket.left > 0 { format!("{} requests left", ticket.left) } else { "used up".to_owned() };
            rows.push((purse.gate(), &ticket.path, ticket.piconero, state, Some(ticket.expires), &ticket.txid));
        }
    }
    if desk.json {
        let rows = rows.into_iter().map(|(gate, path, piconero, state, expires, txid)| {
            let piconero = Piconero(piconero);
            json!({"gate": gate, "path": path, "piconero": piconero, "state": state, "expires": expires, "txid": txid})
        });
        return print::json(&json!({"settings": settings, "paid": rows.collect::<Vec<_>>()}));
    }
    let most = settings.max_pay.map_or("nothing".to_owned(), |most| format!("up to {} XMR", format_xmr(most.0)));
    print::say(format!("Paid without asking: {most}. Wallet: {}.", settings.wallet.as_deref().unwrap_or("none")))?;
    let rows = rows.into_iter().map(|(gate, path, piconero, state, expires, txid)| {
        let until = expires.and_then(|at| i64::try_from(at).ok()).map(|at| moment(at.saturating_mul(1000)));
        [gate.to_owned(), path.clone(), format_xmr(piconero), state, until.unwrap_or_default(), txid.clone()]
    });
    print::table(["gate", "path", "XMR", "", "until (UTC)", "transaction"], rows)
}

fn set(desk: &Desk, max_pay: Option<Piconero>, wallet: Option<String>) -> Outcome {
    if let Some(url) = &wallet {
        WalletPayer::new(url)?;
    }
    let before = Settings::load(&desk.storage)?;
    let settings = Settings { max_pay: max_pay.or(before.max_pay), wallet: wallet.or(before.wallet) };
    settings.save(&desk.storage)?;
    if desk.json { print::json(&settings) } else { print::line("Kept.") }
}

async fn forget(desk: &Desk, gate: &str, txid: &str, yes: bool) -> Outcome {
    let purse = desk.storage.load::<Purse>(&Server::parse(gate)?).await?;
    let open = purse.is_some_and(|purse| purse.payments.iter().any(|payment| payment.txid == txid));
    if !yes && !agrees(open)? {
        return Err(Stop::Broken("nothing was forgotten".to_owned()));
    }
    if !Purse::forget_kept(&desk.storage, &Server::parse(gate)?, txid).await? {
        return Err(client::Error::NoSuch(txid.to_owned()).into());
    }
    if desk.json { print::json(&json!({"forgotten": txid})) } else { print::line("Forgotten.") }
}

fn agrees(open: bool) -> Outcome<bool> {
    if !at_a_terminal() {
        return Err(Stop::Usage("cannot ask for confirmation without a terminal: add --yes".to_owned()));
    }
    let question = if open {
        "Forget it? If it was or will be sent, it buys nothing, and the next run pays again."
    } else {
        "Forget it? The rest of what you paid is lost."
    };
    Ok(Confirm::new().with_prompt(question).default(false).interact()?)
}
