//! `postern toll payments|revenue|tokens|suspend|resume|revoke`

use crate::cli::Outcome;
use crate::cli::print::{self, not_found, utc_time};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::toll;
use store::toll::TokenChange;
use wire::toll::Piconero;
use wire::toll_admin::{PaymentState, TokenState, TollDay, TollPayment, TollToken};

#[derive(Debug, clap::Subcommand)]
pub enum TollAdminCommand {
    /// List payments, newest first
    Payments(TollListArgs),
    /// Show income and the number of offers, by day and route
    Revenue {
        /// Number of days, including today
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
        days: u32,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List tokens, newest first
    Tokens(TollListArgs),
    /// Suspend a token until it is resumed
    Suspend {
        /// The id in the list of tokens
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Resume a suspended token
    Resume {
        /// The id in the list of tokens
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Revoke a token permanently
    Revoke {
        /// The id in the list of tokens
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct TollListArgs {
    /// Maximum number of rows
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: Config, command: TollAdminCommand) -> Outcome {
    let store = crate::cli::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        TollAdminCommand::Payments(list) => {
            payments(toll::payments(actor.store, list.limit).await?.payments, list.json)
        }
        TollAdminCommand::Revenue { days, json } => revenue(toll::days(actor.store, days, actor.now).await?.days, json),
        TollAdminCommand::Tokens(list) => {
            tokens(toll::tokens(actor.store, list.limit, actor.now).await?.tokens, list.json)
        }
        TollAdminCommand::Suspend { id } => change(&actor, &id, TokenChange::Suspend, "is suspended").await,
        TollAdminCommand::Resume { id } => change(&actor, &id, TokenChange::Resume, "is resumed").await,
        TollAdminCommand::Revoke { id } => change(&actor, &id, TokenChange::Revoke, "is revoked").await,
    }
}

fn payments(payments: Vec<TollPayment>, json: bool) -> Outcome {
    if json {
        return print::json(&payments);
    }
    if payments.is_empty() {
        print::empty("There is no payment.");
        return Ok(());
    }
    let rows = payments.into_iter().map(|payment| {
        let state = match (payment.state, payment.block) {
            (PaymentState::Pool, _) => "unconfirmed".to_owned(),
            (PaymentState::Gone, _) => "gone".to_owned(),
            (PaymentState::Late, _) => "too late: bought nothing".to_owned(),
            (PaymentState::Mined, Some(block)) => format!("block {block}"),
            (PaymentState::Mined | PaymentState::Settled, _) => "settled".to_owned(),
        };
        [utc_time(payment.seen_at), payment.route, xmr(payment.piconero), state, payment.token, payment.txid]
    });
    print::table(["SEEN (UTC)", "ROUTE", "AMOUNT", "STATE", "TOKEN", "TRANSACTION"], rows);
    Ok(())
}

fn revenue(days: Vec<TollDay>, json: bool) -> Outcome {
    if json {
        return print::json(&days);
    }
    if days.is_empty() {
        print::empty("There were no offers in these days.");
        return Ok(());
    }
    let rows = days.into_iter().map(|day| {
        let date = utc_time(day.at).split(' ').next().unwrap_or_default().to_owned();
        [date, day.route, day.challenges.to_string(), day.payments.to_string(), xmr(day.piconero)]
    });
    print::table(["DAY (UTC)", "ROUTE", "ASKED", "PAYMENTS", "AMOUNT"], rows);
    Ok(())
}

fn tokens(tokens: Vec<TollToken>, json: bool) -> Outcome {
    if json {
        return print::json(&tokens);
    }
    if tokens.is_empty() {
        print::empty("There is no token.");
        return Ok(());
    }
    let rows = tokens.into_iter().map(|token| {
        let state = match (token.state, token.provisional) {
            (TokenState::Open, true) => "open, not confirmed",
            (TokenState::Open, false) => "open",
            (TokenState::Spent, _) => "used up",
            (TokenState::Expired, _) => "expired",
            (TokenState::Asleep, _) => "suspended: its payment has disappeared",
            (TokenState::Suspended, _) => "suspended",
            (TokenState::Revoked, _) => "revoked",
        };
        let left = format!("{} of {}", token.left, token.quota);
        [token.id, token.route, left, state.to_owned(), utc_time(token.minted_at), utc_time(token.expires_at)]
    });
    print::table(["TOKEN", "ROUTE", "LEFT", "STATE", "BOUGHT (UTC)", "ENDS (UTC)"], rows);
    Ok(())
}

async fn change(actor: &Actor<'_>, id: &str, wanted: TokenChange, done: &str) -> Outcome {
    if !toll::change(actor, id, wanted).await? {
        return Err(not_found(format!("no token {id} is in a state that allows this")));
    }
    println!("{id} {done}. A running gate follows within a few seconds.");
    Ok(())
}

fn xmr(amount: Piconero) -> String {
    format!("{} XMR", amount.xmr())
}
