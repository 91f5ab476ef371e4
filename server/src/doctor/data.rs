//! Checks of the database's content.

use super::second_factors::{administrators, required_groups, second_factors};
use super::{Finding, FindingLevel, accounts, keys};
use crate::backup;
use crate::config::Config;
use crate::error_chain::chain;
use crate::flows::{factors, profiles};
use crate::period::period;
use domain::UnixMs;
use domain::following::clocks_differ;
use std::net::IpAddr;
use std::time::Duration;
use store::mails::MailCounts;
use store::upkeep::SignInStats;
use store::{Error, SchemaState, Store};

const DAY_MS: i64 = 24 * 60 * 60_000;
/// The period of sign-ins that are examined.
const RECENT_MS: i64 = 7 * DAY_MS;
/// The number of people at one address that suggests an office or an unlisted proxy.
const MANY: u64 = 3;
/// Tolerated difference of row times, because nodes' clocks differ.
const SKEW_MS: i64 = 60_000;
/// A number of waiting messages that a working server does not reach.
const MANY_WAITING: u64 = 20;
/// Maximum number of accounts whose names look alike in one report.
const MANY_ALIKE: u32 = 100;
const BACKUP_MS: i64 = 7 * DAY_MS;

pub(super) fn does_not_answer(error: &Error) -> Finding {
    let says = format!("The database does not answer: {}.", chain(error));
    let advice = store::advice(error).unwrap_or("Correct database_url, or start the database.");
    Finding::new("database", FindingLevel::Problem, says, advice)
}

pub(super) async fn findings(config: &Config, store: &dyn Store, now: UnixMs) -> Vec<Finding> {
    let asked = async {
        let mut findings = vec![integrity(store.fault().await?)];
        findings.push(clock(store.newest().await?, now));
        findings.push(database_clock(store.last_changes().await?.clock, now));
        findings.push(addresses(config, &store.sign_in_stats(now - RECENT_MS).await?));
        findings.push(accounts::names(&store.odd_names().await?, &store.look_alikes(MANY_ALIKE).await?));
        findings.push(accounts::passkeys(config, &store.passkey_hosts().await?));
        let all: Vec<_> = store.groups().await?.into_iter().map(|group| group.name).collect();
        findings.push(accounts::groups(&profiles::unknown_groups(store, &config.apps).await?));
        findings.push(accounts::roles_as_groups(&all));
        findings.extend(mail(config, store.mail_counts().await?));
        findings.push(accounts::clients(config, &store.clients().await?));
        let enabled = store.administrators(config.relying_party()).await?.len();
        match administrators(store.has_users().await?, enabled) {
            Some(finding) => findings.push(finding),
            None => findings.push(second_factors(&factors::administrators_without(store, config).await?)),
        }
        findings.push(required_groups(&config.factor_policy, &all));
        findings.extend(keys::findings(config, store, now).await?);
        Ok::<_, Error>(findings)
    };
    let mut findings = asked.await.unwrap_or_else(|error| vec![does_not_answer(&error)]);
    findings.push(last_backup(config, now));
    findings
}

/// Reports messages that wait or were given up. `None`: mail is off and the queue is empty.
pub fn mail(config: &Config, counts: MailCounts) -> Option<Finding> {
    const CHECK: &str = "mail";
    let MailCounts { waiting, given_up } = counts;
    if given_up > 0 {
        let says = format!("The mail server did not accept {}.", messages(given_up));
        let advice = "See `postern mail queue` for the reasons, then retry or drop them; `postern mail test ADDRESS` shows \
                      what the server answers.";
        return Some(Finding::new(CHECK, FindingLevel::Warning, says, advice));
    }
    if config.settings.mail.server.is_none() {
        return (waiting > 0).then(|| {
            let says = format!("Mail is off, and the queue has {}.", messages(waiting));
            Finding::new(CHECK, FindingLevel::Hint, says, "Nothing is sent unless mail.server is set.")
        });
    }
    if waiting > MANY_WAITING {
        let says = format!("The mail server has not accepted {} yet.", messages(waiting));
        let advice = "See `postern mail queue`, and try `postern mail test ADDRESS`.";
        return Some(Finding::new(CHECK, FindingLevel::Warning, says, advice));
    }
    Some(Finding::fine(CHECK, "The mail server accepts the messages."))
}

fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// Reports the state of the schema. Pending migrations are a hint, because the server runs them at its next start.
pub(super) fn schema(schema: &SchemaState) -> Finding {
    const CHECK: &str = "migrations";
    if schema.is_newer {
        return Finding::new(
            CHECK,
            FindingLevel::Problem,
            "A newer version of Postern has changed the database, and this version cannot use it.",
            "Install the newer version again, or restore a backup from before its first start.",
        );
    }
    match schema.pending.len() {
        0 => Finding::fine(CHECK, "The database has every change that this version needs."),
        _ => Finding::new(
            CHECK,
            FindingLevel::Hint,
            format!("These changes of the database are pending: {}.", schema.pending.join(", ")),
            "Make a backup with the old version, then start the server: it applies them.",
        ),
    }
}

fn integrity(fault: Option<String>) -> Finding {
    const CHECK: &str = "database";
    match fault {
        None => Finding::fine(CHECK, "The database answers and is not damaged."),
        Some(fault) => Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!("The database file is damaged: {fault}"),
            "Stop the server, keep a copy of the folder, and restore the last backup.",
        ),
    }
}

fn clock(newest: Option<UnixMs>, now: UnixMs) -> Finding {
    const CHECK: &str = "clock";
    let ahead = newest.map_or(0, |newest| newest - now);
    if ahead <= SKEW_MS {
        return Finding::fine(CHECK, "The clock is not behind the newest row.");
    }
    Finding::new(
        CHECK,
        FindingLevel::Problem,
        format!("The newest row was written {} from now: the clock is behind, or was ahead.", span(ahead)),
        "Set the clock (timedatectl; NTP on every node): tokens and bans depend on it.",
    )
}

/// Compares the clocks by one measurement. Nodes do the same continuously.
fn database_clock(database: Option<UnixMs>, now: UnixMs) -> Finding {
    const CHECK: &str = "database_clock";
    let Some(database) = database else {
        return Finding::fine(CHECK, "The database is a file, which has this machine's clock.");
    };
    let ahead = now - database;
    if !clocks_differ(ahead) {
        return Finding::fine(CHECK, "The clocks of this machine and of the database agree.");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    Finding::new(
        CHECK,
        FindingLevel::Problem,
        format!("This machine's clock is {} s {side} the database's.", ahead.abs() / 1000),
        "Set the clocks (timedatectl; NTP on every node and on the database): challenges and proofs tolerate 30 s.",
    )
}

fn addresses(config: &Config, crowd: &SignInStats) -> Finding {
    const CHECK: &str = "addresses";
    let Some(address) = crowd.address.as_deref().filter(|_| crowd.addresses == 1) else {
        let says = match crowd.addresses {
            0 => "Nobody signed in during the last week.".to_owned(),
            many => format!("Sign-ins of the last week came from {many} addresses."),
        };
        return Finding::fine(CHECK, says);
    };
    let is_inside = address.parse::<IpAddr>().is_ok_and(is_of_this_machine_or_network);
    let is_public = !config.authority.is_localhost();
    if crowd.users < MANY && !(is_inside && is_public) {
        return Finding::fine(CHECK, format!("Sign-ins of the last week came from one address, {address}."));
    }
    Finding::new(
        CHECK,
        FindingLevel::Warning,
        format!(
            "All sign-ins of the last week ({} accounts) came from one address, {address}: one typo delays them all.",
            crowd.users
        ),
        format!("If {address} is your reverse proxy, add it to trusted_proxies and have it send the client's address."),
    )
}

fn is_of_this_machine_or_network(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

pub(super) fn last_backup(config: &Config, now: UnixMs) -> Finding {
    const CHECK: &str = "backup";
    const ADVICE: &str = "Run 'postern backup FILE' every day, and keep the file on another machine.";
    if config.sqlite_file().is_none() {
        return Finding::fine(
            CHECK,
            "Back up PostgreSQL with its own tools (pg_dump); their backups are not visible here.",
        );
    }
    match backup::last(config) {
        None => Finding::new(CHECK, FindingLevel::Hint, "No backup was made here yet.", ADVICE),
        Some(at) if now - at > BACKUP_MS => Finding::new(
            CHECK,
            FindingLevel::Warning,
            format!("The last backup was made {} ago.", span(now - at)),
            ADVICE,
        ),
        Some(at) => Finding::fine(CHECK, format!("The last backup was made {} ago.", span(now - at))),
    }
}

/// Formats whole minutes: `3 days 4h`.
fn span(ms: i64) -> String {
    let minutes = u64::try_from(ms / 60_000).unwrap_or_default();
    period(Duration::from_secs(minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn everybody_at_one_address_is_a_proxy_that_is_not_listed() {
        let config = |url: &str| Config::new(toml::from_str(&format!("public_url = '{url}'")).expect("readable"));
        let state = |url, users, addresses, address: &str| {
            let crowd = SignInStats { users, addresses, address: Some(address.to_owned()) };
            addresses_state(&config(url).expect("stands"), &crowd)
        };
        assert_eq!(state("https://a.example", 1, 1, "127.0.0.1"), FindingLevel::Warning);
        assert_eq!(state("https://a.example", 1, 1, "203.0.113.7"), FindingLevel::Fine);
        assert_eq!(state("https://a.example", 3, 1, "203.0.113.7"), FindingLevel::Warning);
        assert_eq!(state("https://a.example", 3, 2, "203.0.113.7"), FindingLevel::Fine);
        assert_eq!(state("http://localhost:3000", 1, 1, "127.0.0.1"), FindingLevel::Fine);
    }

    fn addresses_state(config: &Config, crowd: &SignInStats) -> FindingLevel {
        addresses(config, crowd).state
    }

    #[test]
    fn a_database_of_another_version() {
        assert_eq!(schema(&SchemaState::default()).state, FindingLevel::Fine);
        let older = SchemaState { pending: vec!["18 gates".to_owned()], is_new: false, is_newer: false };
        assert_eq!(schema(&older).state, FindingLevel::Hint);
        assert!(schema(&older).says.contains("18 gates"));
        assert_eq!(schema(&SchemaState { is_newer: true, ..older }).state, FindingLevel::Problem);
    }

    #[test]
    fn a_database_whose_clock_differs() {
        assert_eq!(database_clock(None, UnixMs::EPOCH).state, FindingLevel::Fine);
        assert_eq!(database_clock(Some(at(100_000)), at(70_000)).state, FindingLevel::Fine);
        let ahead = database_clock(Some(at(100_000)), at(141_000));
        assert_eq!(ahead.state, FindingLevel::Problem);
        assert!(ahead.says.contains("41 s ahead"), "{}", ahead.says);
        assert!(database_clock(Some(at(100_000)), at(69_999)).says.contains("30 s behind"));
    }

    #[test]
    fn rows_of_the_future() {
        assert_eq!(clock(None, UnixMs::EPOCH).state, FindingLevel::Fine);
        assert_eq!(clock(Some(at(SKEW_MS)), UnixMs::EPOCH).state, FindingLevel::Fine);
        let ahead = clock(Some(at(2 * DAY_MS)), UnixMs::EPOCH);
        assert_eq!(ahead.state, FindingLevel::Problem);
        assert!(ahead.says.contains("2 days"), "{}", ahead.says);
    }
}
