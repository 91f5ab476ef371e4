//! `postern audit`

use super::Outcome;
use super::print::{self, not_found, utc_time};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::flows::audit_log::{self, AuditQuery};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// Only what happened to this account: a name or an id
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    user: String,
    /// Only this event: login, logout, ban_made ...
    #[arg(long, default_value = "")]
    event: String,
    /// Only this outcome: ok, invalid_credentials ...
    #[arg(long, default_value = "")]
    outcome: String,
    /// Only since then: 2026-11-21, 2026-11-21T09:00:00Z, or 7d
    #[arg(long, default_value = "")]
    since: String,
    /// Maximum number of entries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Prints the newest entries, newest first.
pub(super) async fn run(config: Config, command: AuditArgs) -> Outcome {
    let store = super::store::open(&config).await?;
    let AuditArgs { user, event, outcome, since, limit, json } = command;
    let filter = AuditQuery { user, event, outcome, since, ..AuditQuery::default() };
    let search = filter.search(&*store, limit, SystemClock.now()).await?;
    let entries = audit_log::page(&*store, &search).await?.entries;
    if json {
        return print::json(&entries);
    }
    if entries.is_empty() {
        return Err(not_found("no matching entries"));
    }
    let rows = entries.into_iter().map(|entry| {
        let who = entry.user.or(entry.user_id).unwrap_or_default();
        let by = entry.by.or(entry.by_id).unwrap_or_default();
        [utc_time(entry.at), entry.event, entry.outcome, who, by, entry.about, entry.address, entry.device]
    });
    print::table(["TIME (UTC)", "EVENT", "OUTCOME", "ACCOUNT", "BY", "ABOUT", "FROM", "WITH"], rows);
    Ok(())
}
