//! `postern-client toll`

use crate::args::Toll;
use crate::cli_error::{CliError, Outcome};
use crate::context::Context;
use crate::print::{self, at_a_terminal, utc_time};
use client::Server;
use client::toll::{GateAccount, TollSettings, WalletPayer};
use dialoguer::Confirm;
use serde_json::json;
use tpat::amount::format_xmr;
use wire::toll::Piconero;

pub(crate) async fn run(context: &Context, what: Option<Toll>) -> Outcome {
    match what {
        None => list(context).await,
        Some(Toll::Set { max_pay, wallet }) => set(context, max_pay, wallet),
        Some(Toll::Forget { gate, txid, yes }) => forget(context, &gate, &txid, yes).await,
    }
}

async fn list(context: &Context) -> Outcome {
    let (settings, accounts) = (TollSettings::load(&context.storage)?, context.storage.all::<GateAccount>().await?);
    let mut rows = Vec::new();
    for account in &accounts {
        for payment in &account.payments {
            let state = "not redeemed yet";
            rows.push((account.gate(), &payment.path, payment.offer.piconero, state.to_owned(), None, &payment.txid));
        }
        for stored in &account.tokens {
            let state = if stored.left > 0 { format!("{} requests left", stored.left) } else { "used up".to_owned() };
            rows.push((account.gate(), &stored.path, stored.piconero, state, Some(stored.expires), &stored.txid));
        }
    }
    if context.json {
        let rows = rows.into_iter().map(|(gate, path, piconero, state, expires, txid)| {
            let piconero = Piconero(piconero);
            json!({"gate": gate, "path": path, "piconero": piconero, "state": state, "expires": expires, "txid": txid})
        });
        return print::json(&json!({"settings": settings, "paid": rows.collect::<Vec<_>>()}));
    }
    let most = settings.max_pay.map_or("never".to_owned(), |most| format!("up to {} XMR", format_xmr(most.0)));
    print::say(format!("Pay without asking: {most}. Wallet: {}.", settings.wallet.as_deref().unwrap_or("none")))?;
    let rows = rows.into_iter().map(|(gate, path, piconero, state, expires, txid)| {
        let until = expires.and_then(|at| i64::try_from(at).ok()).map(|at| utc_time(at.saturating_mul(1000)));
        [gate.to_owned(), path.clone(), format_xmr(piconero), state, until.unwrap_or_default(), txid.clone()]
    });
    print::table(["gate", "path", "XMR", "", "until (UTC)", "transaction"], rows)
}

fn set(context: &Context, max_pay: Option<Piconero>, wallet: Option<String>) -> Outcome {
    if let Some(url) = &wallet {
        WalletPayer::new(url)?;
    }
    let before = TollSettings::load(&context.storage)?;
    let settings = TollSettings { max_pay: max_pay.or(before.max_pay), wallet: wallet.or(before.wallet) };
    settings.save(&context.storage)?;
    if context.json { print::json(&settings) } else { print::line("Saved.") }
}

async fn forget(context: &Context, gate: &str, txid: &str, yes: bool) -> Outcome {
    let account = context.storage.load::<GateAccount>(&Server::parse(gate)?).await?;
    let open = account.is_some_and(|account| account.payments.iter().any(|payment| payment.txid == txid));
    if !yes && !agrees(open)? {
        return Err(CliError::Broken("nothing was forgotten".to_owned()));
    }
    if !GateAccount::forget_kept(&context.storage, &Server::parse(gate)?, txid).await? {
        return Err(client::Error::NoSuch(txid.to_owned()).into());
    }
    if context.json { print::json(&json!({"forgotten": txid})) } else { print::line("Forgotten.") }
}

fn agrees(open: bool) -> Outcome<bool> {
    if !at_a_terminal() {
        return Err(CliError::Usage("cannot ask for confirmation without a terminal: add --yes".to_owned()));
    }
    let question = if open {
        "Forget it? If it was or will be sent, it buys nothing, and the next run pays again."
    } else {
        "Forget it? The rest of what you paid is lost."
    };
    Ok(Confirm::new().with_prompt(question).default(false).interact()?)
}
