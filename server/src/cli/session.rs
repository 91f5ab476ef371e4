//! `postern session list|end`

use super::print::{self, not_found, utc_time};
use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::users;
use clap::Subcommand;
use domain::UnixMs;
use serde::Serialize;
use store::Store;
use store::audit::AuditEvent;
use store::users::User;

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// List the sessions of these accounts
    List {
        /// Names of accounts
        #[arg(required = true)]
        names: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// End every session of these accounts
    End {
        /// Names of accounts
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, Serialize)]
struct SessionOutput {
    user: String,
    id: String,
    device: String,
    address: String,
    created_at: UnixMs,
    used_at: UnixMs,
}

pub(super) async fn run(config: Config, command: SessionCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        SessionCommand::List { names, json } => list(&actor, &names, json).await,
        SessionCommand::End { names } => end(&actor, &names).await,
    }
}

async fn list(actor: &Actor<'_>, names: &[String], json: bool) -> Outcome {
    let mut all = Vec::new();
    for user in find(actor.store, names).await? {
        let rows = actor.store.sessions_of(&user.id, actor.now).await?;
        all.extend(rows.into_iter().map(|row| SessionOutput {
            user: user.name.clone(),
            id: row.id.into(),
            device: row.device,
            address: row.address,
            created_at: row.created_at,
            used_at: row.used_at,
        }));
    }
    if json {
        return print::json(&all);
    }
    if all.is_empty() {
        return Err(not_found("no session is open"));
    }
    let rows = all.into_iter().map(|row| {
        [row.user, row.device, row.address, utc_time(row.created_at.as_millis()), utc_time(row.used_at.as_millis())]
    });
    print::table(["ACCOUNT", "WITH", "FROM", "SIGNED IN (UTC)", "USED (UTC)"], rows);
    Ok(())
}

async fn end(actor: &Actor<'_>, names: &[String]) -> Outcome {
    let mut ended = 0;
    for user in find(actor.store, names).await? {
        let mut entry = actor.entry(AuditEvent::SessionEnded, "");
        entry.user = Some(user.id.clone());
        let gone = actor.store.revoke_others(&user.id, None, &entry, actor.now).await?.len();
        println!("{}: {gone} ended.", user.name);
        ended += gone;
    }
    if ended == 0 { Err(not_found("no session is open")) } else { Ok(()) }
}

/// Finds all accounts or none, because a partial list is worse than an error.
async fn find(store: &dyn Store, names: &[String]) -> Result<Vec<User>, Failure> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let user = users::find(store, name).await?;
        found.push(
            user.ok_or_else(|| not_found(format!("there is no account {name}: 'postern user list' shows all names")))?,
        );
    }
    Ok(found)
}
