//! `postern allow list|add|remove`

use super::Outcome;
use super::print::{self, not_found, remaining, utc_time};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::allowlist;
use clap::Subcommand;
use wire::allowlist::NewAllowed;

#[derive(Debug, Subcommand)]
pub(super) enum AllowCommand {
    /// List the networks that are never banned
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Never ban this network: 203.0.113.7 or 2001:db8::/48
    Add {
        /// The network or address
        network: String,
        /// Comment, for readers of the list
        #[arg(long, allow_hyphen_values = true)]
        comment: String,
        /// Expiry: 2h, 30d [default: no expiry]
        #[arg(long = "for", value_name = "TIME")]
        length: Option<String>,
    },
    /// Remove a network from the list
    Remove {
        /// The network or address
        network: String,
    },
}

pub(super) async fn run(config: Config, command: AllowCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        AllowCommand::List { json } => list(&actor, json).await,
        AllowCommand::Add { network, comment, length } => {
            let allowed = allowlist::add(&actor, &NewAllowed { network, comment, length }).await?;
            println!("{} is never banned. Running servers follow within a second.", allowed.network);
            Ok(())
        }
        AllowCommand::Remove { network } => match allowlist::remove(&actor, &network).await? {
            Some(allowed) => {
                println!("{} is no longer on the allowlist. Running servers follow within a second.", allowed.network);
                Ok(())
            }
            None => Err(not_found(format!("{network} is not on the list"))),
        },
    }
}

async fn list(actor: &Actor<'_>, json: bool) -> Outcome {
    let list = allowlist::list(actor.store, actor.now).await?.allowed;
    if json {
        return print::json(&list);
    }
    if list.is_empty() {
        print::empty("The allowlist is empty.");
        return Ok(());
    }
    let rows = list.into_iter().map(|allowed| {
        let left = match allowed.expires_at {
            Some(at) if allowed.in_force => remaining(at - actor.now.as_millis()),
            Some(at) => format!("ended {}", utc_time(at)),
            None => "no expiry".to_owned(),
        };
        [allowed.network, left, allowed.made_by, allowed.comment]
    });
    print::table(["NETWORK", "LEFT", "BY", "COMMENT"], rows);
    Ok(())
}
