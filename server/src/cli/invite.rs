//! `postern invite [list|revoke]`

use super::Outcome;
use super::user::{RoleName, entropy, entry};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use clap::Subcommand;
use domain::account::Role;
use domain::invitation::{self, DEFAULT_HOURS, MOST_HOURS};
use std::time::Duration;
use store::Store;
use store::audit::{Entry, Event};
use store::invitations::Invitation;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    wish: Wish,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the invitations that can still be used
    List,
    /// Revoke an invitation, by its id in the list
    Revoke { id: String },
}

#[derive(Debug, clap::Args)]
struct Wish {
    /// What the new account will be
    #[arg(long, value_enum, default_value = "user")]
    role: RoleName,
    /// How many hours the link is good for, 720 at most
    #[arg(long, default_value_t = DEFAULT_HOURS)]
    hours: u32,
    /// Whom it is for, to find it in the list
    #[arg(long, default_value = "")]
    note: String,
}

pub async fn run(config: Config, args: Args) -> Outcome {
    let store = super::store::open(&config).await?;
    match args.command {
        None => make(&config, &*store, &args.wish).await,
        Some(Command::List) => list(&*store).await,
        Some(Command::Revoke { id }) => revoke(&*store, &id).await,
    }
}

async fn make(config: &Config, store: &dyn Store, wish: &Wish) -> Outcome {
    let now = SystemClock.now();
    let lifetime = invitation::lifetime_ms(wish.hours).ok_or(format!("--hours: 1 to {MOST_HOURS}"))?;
    let code = invitation::code(&entropy().bytes());
    let made = Invitation {
        id: entropy().ulid(now),
        code_hash: invitation::code_hash(&code),
        role: match wish.role {
            RoleName::User => Role::User,
            RoleName::Administrator => Role::Administrator,
        },
        note: invitation::note(&wish.note).ok_or("--note: one line of 100 characters at most")?,
        made_by: None,
        created_at: now,
        expires_at: now + lifetime,
        used_at: None,
        used_by: None,
        revoked_at: None,
    };
    store.add_invitation(&made, &audit(Event::InvitationMade)).await?;
    println!("{}{}#code={code}", config.origin, wire::paths::SIGNUP_PAGE);
    eprintln!("Good for one account, for {}. It is not shown again.", left(lifetime));
    Ok(())
}

async fn list(store: &dyn Store) -> Outcome {
    let now = SystemClock.now();
    for open in store.invitations().await?.iter().filter(|invitation| invitation.is_open(now)) {
        println!("{}\t{}\t{}\t{}", open.id, open.role.as_str(), left(open.expires_at - now), open.note);
    }
    Ok(())
}

async fn revoke(store: &dyn Store, id: &str) -> Outcome {
    if !store.revoke_invitation(id, &audit(Event::InvitationRevoked), SystemClock.now()).await? {
        return Err(format!("no invitation {id} can still be used").into());
    }
    println!("Revoked.");
    Ok(())
}

fn audit(event: Event) -> Entry {
    Entry { user: None, ..entry(event, "") }
}

fn left(ms: i64) -> String {
    let seconds = u64::try_from(ms).unwrap_or_default() / 1000;
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}
