//! `postern ban list|lift`

use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use clap::Subcommand;
use domain::identity::Identity;
use std::net::IpAddr;
use std::time::Duration;
use store::bans::Ban;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the bans in force
    List,
    /// Lift every ban on an address: 203.0.113.7 or 2001:db8::/64
    Lift { address: String },
}

pub async fn run(config: Config, command: Command) -> Outcome {
    let store = super::store::open(&config).await?;
    let now = SystemClock.now();
    match command {
        Command::List => {
            for ban in store.active_bans(now).await? {
                println!("{}", line(&ban, now));
            }
        }
        Command::Lift { address } => {
            let address = identity(&address, config.settings.ipv6_prefix)?;
            let lifted = store.lift(address, "command line", now).await?;
            if lifted.is_empty() {
                return Err(format!("{address} is not banned").into());
            }
            println!("{address} is open again. A running server knows within a second.");
        }
    }
    Ok(())
}

/// A bare address counts as the server counts it.
fn identity(text: &str, v6_prefix: u8) -> Result<Identity, Failure> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(Identity::of(address, v6_prefix)),
        Err(_) => Ok(text.parse::<Identity>()?),
    }
}

fn line(ban: &Ban, now: i64) -> String {
    let seconds = u64::try_from(ban.until - now).unwrap_or_default().div_ceil(1000);
    let left = humantime::format_duration(Duration::from_secs(seconds));
    format!("{}\t{}\t{left}\t{}\t{}", ban.identity, ban.scope, ban.incident, ban.reason)
}
