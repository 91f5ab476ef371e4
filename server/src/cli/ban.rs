//! `postern ban list|add|lift|explain|export`

use super::print::{self, not_found, printable, remaining, utc_time};
use super::{Failure, Outcome, firewall};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::bans::{self, BanError};
use clap::{Args, Subcommand, ValueEnum};
use domain::ban::{Scope, Trigger};
use domain::client_key::ClientKey;
use store::bans::{Ban, BanSearch};
use wire::bans::{Explanation, NewBan};

/// Number of bans read at a time.
const PAGE: u32 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum BanCommand {
    /// List bans in force, newest first; with --all also past ones
    List(BanListArgs),
    /// Ban an address
    Add(BanAddArgs),
    /// Lift every ban on an address
    Lift {
        /// 203.0.113.7, 2001:db8::1 or 2001:db8::/64
        address: String,
        /// Reason, for readers of the history
        #[arg(long, default_value = "Lifted from the command line.", allow_hyphen_values = true)]
        reason: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Explain the bans on an address, and what would ban it
    Explain {
        /// 203.0.113.7, 2001:db8::1 or 2001:db8::/64
        address: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print addresses banned from everything, for a firewall in front
    Export {
        /// One address a line, JSON, or a file for `nft -f`
        #[arg(long, value_enum, default_value = "plain")]
        format: FirewallFormat,
    },
}

#[derive(Debug, Args)]
pub(super) struct BanListArgs {
    /// Only this address or this incident
    word: Option<String>,
    /// Also past bans
    #[arg(long)]
    all: bool,
    /// Only bans of this trigger: invalid_credentials, spray, flood, manual ...
    #[arg(long, value_parser = trigger)]
    trigger: Option<Trigger>,
    /// Maximum number of bans
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct BanAddArgs {
    /// 203.0.113.7, 2001:db8::1 or 2001:db8::/64
    address: String,
    /// Reason, for readers of the history
    #[arg(long, allow_hyphen_values = true)]
    reason: String,
    /// Duration: 15m, 2h, 30d
    #[arg(long = "for", default_value = "24h", value_name = "TIME")]
    length: String,
    /// Scope: everything, or only sign-in
    #[arg(long, default_value = "everything", value_parser = scope)]
    scope: Scope,
    /// Even if it bans this machine or a trusted proxy, or if the allowlist contains the address
    #[arg(long)]
    force: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FirewallFormat {
    Plain,
    Json,
    Nft,
}

pub(super) async fn run(config: Config, command: BanCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        BanCommand::List(wanted) => list(&actor, wanted).await,
        BanCommand::Add(wanted) => add(&actor, wanted).await,
        BanCommand::Lift { address, reason, json } => lift(&actor, &address, &reason, json).await,
        BanCommand::Explain { address, json } => {
            let explained = bans::explain(&actor, &address).await?;
            if json {
                return print::json(&explained);
            }
            explain(&explained, actor.now.as_millis());
            Ok(())
        }
        BanCommand::Export { format } => export(&actor, format).await,
    }
}

async fn list(actor: &Actor<'_>, wanted: BanListArgs) -> Outcome {
    let prefix = actor.config.settings.ipv6_prefix;
    let word = wanted.word.as_deref().and_then(|word| bans::search_word(word, prefix));
    let filtered = word.is_some() || wanted.trigger.is_some();
    let search = BanSearch {
        word,
        trigger: wanted.trigger,
        in_force: (!wanted.all).then_some(true),
        before: None,
        limit: wanted.limit,
        now: actor.now,
    };
    let found = bans::list(actor.store, &search).await?.bans;
    if wanted.json {
        return print::json(&found);
    }
    if found.is_empty() && filtered {
        return Err(not_found("no such ban"));
    }
    if found.is_empty() {
        print::empty("No address is banned.");
        return Ok(());
    }
    let rows = found.into_iter().map(|ban| {
        let time = match ban.lifted_at {
            _ if ban.in_force => remaining(ban.until - actor.now.as_millis()),
            Some(at) => format!("lifted {}", utc_time(at)),
            None => format!("ended {}", utc_time(ban.until)),
        };
        [ban.address, ban.scope, time, ban.incident, ban.trigger, ban.made_by, ban.reason]
    });
    print::table(["ADDRESS", "SCOPE", "LEFT", "INCIDENT", "TRIGGER", "BY", "REASON"], rows);
    Ok(())
}

async fn add(actor: &Actor<'_>, wanted: BanAddArgs) -> Outcome {
    let json = wanted.json;
    let wanted = NewBan {
        address: wanted.address,
        scope: wanted.scope.to_string(),
        length: wanted.length,
        reason: wanted.reason,
        force: wanted.force,
    };
    match bans::make(actor, &wanted).await {
        Ok(ban) if json => print::json(&bans::shown_all(actor.store, vec![ban], actor.now).await?.pop()),
        Ok(ban) => {
            println!(
                "{} is banned for {}, incident {}.",
                ban.client_key,
                remaining(ban.until - ban.since),
                ban.incident
            );
            if ban.client_key.is_loopback() {
                println!("Bans of this machine last one minute.");
            }
            println!("Running servers follow within a second.");
            Ok(())
        }
        Err(BanError::WouldLockOut) => {
            Err("this would ban this machine or a trusted proxy; add --force to do it anyway".into())
        }
        Err(error @ BanError::Allowed(network, _)) => {
            Err(format!("{error} (`postern allow remove {network}`), or add --force to ban it anyway").into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn lift(actor: &Actor<'_>, address: &str, reason: &str, json: bool) -> Outcome {
    let client_key = ClientKey::read(address, actor.config.settings.ipv6_prefix)?;
    let lifted = bans::lift(actor, client_key, reason).await?;
    if lifted.is_empty() {
        return Err(not_found(format!("{client_key} is not banned")));
    }
    if json {
        return print::json(&bans::shown_all(actor.store, lifted, actor.now).await?);
    }
    println!("The bans on {client_key} are lifted. Running servers follow within a second.");
    Ok(())
}

fn explain(explained: &Explanation, now: i64) {
    let Explanation { address, allowed, .. } = explained;
    match (explained.everything_closed_until, explained.sign_in_closed_until) {
        (Some(until), _) => println!("{address} is banned from everything for {}.", remaining(until - now)),
        (None, Some(until)) => println!("{address} is banned from sign-in for {}.", remaining(until - now)),
        (None, None) if allowed.is_empty() => println!("{address} is not banned."),
        (None, None) => println!("{address} is not banned: it is on the allowlist."),
    }
    for entry in allowed {
        println!("  allowed: {} ({})", entry.network, printable(&entry.comment));
    }
    for ban in &explained.bans {
        let because = printable(&format!("{} {}", ban.reason, ban.evidence));
        println!("  {}: {because} ({})", ban.incident, ban.trigger);
    }
    let rows = explained.rules.iter().map(|rule| {
        let next = remaining(i64::try_from(rule.next_seconds).unwrap_or(i64::MAX / 1000) * 1000);
        [rule.trigger.clone(), format!("{} of {}", rule.strikes, rule.threshold), rule.scope.clone(), next]
    });
    print::table(["TRIGGER", "OFFENCES", "NEXT BAN", "FOR"], rows);
}

async fn export(actor: &Actor<'_>, format: FirewallFormat) -> Outcome {
    let bans = outside(actor).await?;
    match format {
        FirewallFormat::Plain => bans.iter().for_each(|ban| println!("{}", ban.client_key)),
        FirewallFormat::Json => {
            let rows: Vec<_> = bans
                .iter()
                .map(|ban| {
                    serde_json::json!({"address": ban.client_key, "until": ban.until, "incident": ban.incident,
                        "trigger": ban.trigger.as_str()})
                })
                .collect();
            print::json(&rows)?;
        }
        FirewallFormat::Nft => print!("{}", firewall::nft(&bans, actor.now)),
    }
    Ok(())
}

/// Returns addresses that a firewall may drop: banned from everything and not on the allowlist. Each address once, with
/// its longest ban.
async fn outside(actor: &Actor<'_>) -> Result<Vec<Ban>, Failure> {
    let (store, now) = (actor.store, actor.now);
    let allowed: Vec<_> = store.allowlist().await?.into_iter().filter(|allowed| allowed.in_force(now)).collect();
    let mut bans: Vec<Ban> = Vec::new();
    let mut search = BanSearch { in_force: Some(true), limit: PAGE, now, ..BanSearch::default() };
    loop {
        let page = store.search_bans(&search).await?;
        search.before = page.last().map(|ban| ban.id.clone());
        if page.is_empty() {
            break;
        }
        bans.extend(page.into_iter().filter(|ban| ban.scope == Scope::Everything).filter(|ban| {
            let network = bans::network(ban.client_key);
            network.is_some_and(|network| !allowed.iter().any(|allowed| firewall::overlap(&allowed.network, &network)))
        }));
    }
    bans.sort_by_key(|ban| (ban.client_key, std::cmp::Reverse(ban.until)));
    bans.dedup_by_key(|ban| ban.client_key);
    Ok(bans)
}

fn trigger(text: &str) -> Result<Trigger, String> {
    let all = Trigger::ALL.iter().map(|trigger| trigger.as_str()).collect::<Vec<_>>().join(", ");
    Trigger::parse(text).ok_or_else(|| format!("write one of {all}"))
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| format!("write {} or {}", Scope::SignIn, Scope::Everything))
}
