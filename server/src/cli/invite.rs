//! `postern invite [list|revoke]`

use super::Outcome;
use super::print::{self, left};
use super::user::RoleName;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::invitations;
use crate::flows::operator::Operator;
use clap::Subcommand;
use domain::invitation::DEFAULT_HOURS;

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
    /// List unused invitations
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke an invitation, by its id in the list
    Revoke {
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Wish {
    /// Role of the new account
    #[arg(long, value_enum, default_value = "user")]
    role: RoleName,
    /// Validity of the link in hours, at most 720
    #[arg(long, default_value_t = DEFAULT_HOURS)]
    hours: u32,
    /// Note about the invited person, to find it in the list
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    note: String,
}

pub async fn run(config: Config, args: Args) -> Outcome {
    let store = super::store::open(&config).await?;
    let operator = Operator::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match args.command {
        None => make(&operator, &args.wish).await,
        Some(Command::List { json }) => list(&operator, json).await,
        Some(Command::Revoke { id }) => revoke(&operator, &id).await,
    }
}

async fn make(operator: &Operator<'_>, wish: &Wish) -> Outcome {
    let made = invitations::invite(operator, wish.role.into(), &wish.note, wish.hours).await?;
    println!("{}", made.link);
    eprintln!("Valid for one account, for {}. It is not shown again.", left(made.expires_at - operator.now));
    Ok(())
}

async fn list(operator: &Operator<'_>, json: bool) -> Outcome {
    let open = invitations::open(operator.store, operator.now).await?;
    if json {
        return print::json(&open);
    }
    if open.is_empty() {
        print::empty("No invitation is open.");
        return Ok(());
    }
    let rows = open.into_iter().map(|open| [open.id, open.role, left(open.expires_at - operator.now), open.note]);
    print::table(["ID", "ROLE", "GOOD FOR", "NOTE"], rows);
    Ok(())
}

async fn revoke(operator: &Operator<'_>, id: &str) -> Outcome {
    if !invitations::revoke(operator, id).await? {
        return Err(format!("no unused invitation has the id {id}").into());
    }
    println!("Revoked.");
    Ok(())
}
