//! `postern allow list|add|remove`

use super::Outcome;
use super::print::{self, left, moment, nothing};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::allowlist;
use crate::flows::operator::Operator;
use clap::Subcommand;
use wire::allowlist::NewAllowed;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the networks that are never banned
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Never ban this network: 203.0.113.7 or 2001:db8::/48
    Add {
        network: String,
        /// Comment, for readers of the list
        #[arg(long, allow_hyphen_values = true)]
        comment: String,
        /// Expiry: 2h, 30d [default: no expiry]
        #[arg(long = "for", value_name = "TIME")]
        length: Option<String>,
    },
    /// Remove a network from the list
    Remove { network: String },
}

pub async fn run(config: Config, command: Command) -> Outcome {
    let store = super::store::open(&config).await?;
    let operator = Operator::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        Command::List { json } => list(&operator, json).await,
        Command::Add { network, comment, length } => {
            let allowed = allowlist::add(&operator, &NewAllowed { network, comment, length }).await?;
            println!("{} is never banned. Running servers follow within a second.", allowed.network);
            Ok(())
        }
        Command::Remove { network } => match allowlist::remove(&operator, &network).await? {
            Some(allowed) => {
                println!("{} was removed. Running servers follow within a second.", allowed.network);
                Ok(())
            }
            None => Err(nothing(format!("{network} is not on the list"))),
        },
    }
}

async fn list(operator: &Operator<'_>, json: bool) -> Outcome {
    let list = allowlist::list(operator.store, operator.now).await?.allowed;
    if json {
        return print::json(&list);
    }
    if list.is_empty() {
        print::empty("The allowlist is empty.");
        return Ok(());
    }
    let rows = list.into_iter().map(|allowed| {
        let left = match allowed.expires_at {
            Some(at) if allowed.in_force => left(at - operator.now),
            Some(at) => format!("over {}", moment(at)),
            None => "for good".to_owned(),
        };
        [allowed.network, left, allowed.made_by, allowed.comment]
    });
    print::table(["NETWORK", "LEFT", "BY", "COMMENT"], rows);
    Ok(())
}
