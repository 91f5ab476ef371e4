//! `postern session list|end`

use super::print::{self, moment, nothing};
use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::operator::Operator;
use crate::flows::users;
use clap::Subcommand;
use serde::Serialize;
use store::Store;
use store::audit::Event;
use store::users::User;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the sessions of these accounts
    List {
        #[arg(required = true)]
        names: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// End every session of these accounts
    End {
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, Serialize)]
struct Shown {
    user: String,
    id: String,
    device: String,
    address: String,
    created_at: i64,
    used_at: i64,
}

pub async fn run(config: Config, command: Command) -> Outcome {
    let store = super::store::open(&config).await?;
    let operator = Operator::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        Command::List { names, json } => list(&operator, &names, json).await,
        Command::End { names } => end(&operator, &names).await,
    }
}

async fn list(operator: &Operator<'_>, names: &[String], json: bool) -> Outcome {
    let mut all = Vec::new();
    for user in find(operator.store, names).await? {
        let rows = operator.store.sessions_of(&user.id, operator.now).await?;
        all.extend(rows.into_iter().map(|row| Shown {
            user: user.name.clone(),
            id: row.id,
            device: row.device,
            address: row.address,
            created_at: row.created_at,
            used_at: row.used_at,
        }));
    }
    if all.is_empty() {
        return Err(nothing("no sessions found"));
    }
    if json {
        return print::json(&all);
    }
    let rows =
        all.into_iter().map(|row| [row.user, row.device, row.address, moment(row.created_at), moment(row.used_at)]);
    print::table(["ACCOUNT", "WITH", "FROM", "SIGNED IN (UTC)", "USED (UTC)"], rows);
    Ok(())
}

async fn end(operator: &Operator<'_>, names: &[String]) -> Outcome {
    let mut ended = 0;
    for user in find(operator.store, names).await? {
        let mut entry = operator.entry(Event::SessionEnded, "");
        entry.user = Some(user.id.clone());
        let gone = operator.store.revoke_others(&user.id, None, &entry, operator.now).await?.len();
        println!("{}: {gone} ended.", user.name);
        ended += gone;
    }
    if ended == 0 { Err(nothing("no sessions found")) } else { Ok(()) }
}

/// Finds all accounts or none, because a partial list is worse than an error.
async fn find(store: &dyn Store, names: &[String]) -> Result<Vec<User>, Failure> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let user = users::find(store, name).await?;
        found.push(user.ok_or_else(|| nothing(format!("there is no account {name}")))?);
    }
    Ok(found)
}
