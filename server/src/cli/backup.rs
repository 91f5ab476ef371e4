//! `postern backup` and `postern restore`

use super::file_name::file_name;
use super::print::printable;
use super::{Failure, Outcome, data_folder};
use crate::backup::{self, Passphrase, RestoreOptions, RestoredBackup};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::utc_time::utc_time_with_zone;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use store::Store;
use store::audit::AuditEvent;
use store::replaced::{Difference, RestoredCodes, RestoredKeys};
use zeroize::Zeroizing;

/// Maximum number of names on a line.
const MOST_NAMES: usize = 100;
const UNKNOWN: &str =
    "Second factors, groups, clients, services, bans, the allowlist and the gate's payments are those of the backup.";

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// The file to write; must not exist
    #[arg(value_parser = file_name())]
    file: PathBuf,
    /// Include the key-encryption key, encrypted with a passphrase
    #[arg(long)]
    with_key: bool,
    /// Read the passphrase from the first line of a file instead of asking for it
    #[arg(long, value_name = "FILE", requires = "with_key", value_parser = file_name())]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// A file written by 'postern backup'
    #[arg(value_parser = file_name())]
    file: PathBuf,
    /// Replace an existing database, and add the backup's key to another key-encryption key
    #[arg(long)]
    force: bool,
    /// Keep the sessions of the backup that were not ended since
    #[arg(long)]
    keep_sessions: bool,
    /// Do not restore the key-encryption key
    #[arg(long)]
    without_key: bool,
    /// Read the passphrase from the first line of a file instead of asking for it
    #[arg(long, value_name = "FILE", value_parser = file_name())]
    passphrase_file: Option<PathBuf>,
}

pub(super) async fn backup(config: Config, args: BackupArgs) -> Outcome {
    if config.has_no_database_file() {
        return Err(format!("there is no database yet: {}", config.database_name()).into());
    }
    let passphrase = if args.with_key { Some(passphrase(args.passphrase_file.as_deref(), true)?) } else { None };
    let store = super::store::open(&config).await?;
    backup::write(&config, &*store, &args.file, passphrase.as_ref(), &SystemEntropy, SystemClock.now()).await?;
    record(&config, &*store, AuditEvent::BackupMade, &args.file).await?;
    store.close().await;
    println!("Backup written and verified: {}", args.file.display());
    if !args.with_key {
        println!("It does not contain the key-encryption key ({}): keep a copy of that elsewhere.", key_place(&config));
    }
    Ok(())
}

pub(super) async fn restore(config: Config, args: RestoreArgs) -> Outcome {
    data_folder(&config)?;
    let options = RestoreOptions { force: args.force, keep_sessions: args.keep_sessions, now: SystemClock.now() };
    let restoring = backup::prepare(&config, &args.file, options).await?;
    let has_key = restoring.has_key() && !args.without_key;
    let passphrase = if has_key { Some(passphrase(args.passphrase_file.as_deref(), false)?) } else { None };
    let restored = restoring.restored().clone();
    let keys = restoring.finish(&config, passphrase.as_ref(), args.force).await?;
    let store = super::store::open_for_server(&config).await?;
    record(&config, &*store, AuditEvent::BackupRestored, &args.file).await?;
    store.close().await;
    print_restored(&restored, args.keep_sessions, keys);
    match keys {
        RestoredKeys::Kept => println!("Server keys: those of the replaced database stay in use."),
        RestoredKeys::OfBackup => println!(
            "Server keys: those of the backup. Revoke any that was revoked since: see 'postern key list' and 'postern key \
             revoke'."
        ),
    }
    if has_key {
        println!("The key-encryption key is restored too: {}", key_place(&config));
    } else {
        println!("It needs the key-encryption key from the time of the backup: put that at {}", key_place(&config));
    }
    Ok(())
}

/// Writes a row to the audit log with the file that was written or restored.
async fn record(config: &Config, store: &dyn Store, event: AuditEvent, file: &Path) -> store::Result<()> {
    let actor = Actor::command_line(store, config, &SystemEntropy, SystemClock.now());
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    store.append(&actor.entry(event, name)).await
}

/// Prints what an operator must check now.
fn print_restored(restored: &RestoredBackup, keep_sessions: bool, keys: RestoredKeys) {
    let of =
        restored.made_at.map_or_else(|| "of an unknown date".to_owned(), |at| format!("of {}", utc_time_with_zone(at)));
    println!("Restored the backup {of}.");
    println!("Accounts: {}", restored.accounts);
    if keep_sessions && restored.are_sessions_compared {
        println!("Sessions kept: {}, without those that were ended since the backup", restored.settled.sessions);
    } else if keep_sessions {
        println!("Sessions kept: {}, including any that were ended since the backup", restored.settled.sessions);
    } else {
        println!("Sessions ended: {}", restored.settled.sessions);
    }
    println!("Invitations and reset links voided: {}", restored.settled.links);
    if let RestoredCodes::Voided(accounts) = restored.recovery_codes {
        println!("Accounts whose recovery codes are void, because some may have been used since: {accounts}");
    }
    let Some(reverted) = &restored.reverted else {
        println!(
            "There was no database to compare with. Accounts that were deleted, disabled or lost a role since the \
             backup have it back, and old passwords are valid again: see 'postern user list'. {UNKNOWN}"
        );
        return;
    };
    for (what, names) in [
        ("Deleted since the backup, exist again", &reverted.deleted),
        ("Disabled since the backup, enabled again", &reverted.disabled),
        ("Administrators again", &reverted.administrators),
        ("Password changed since the backup, old password valid again", &reverted.passwords),
        ("Created since the backup, no longer exist", &reverted.lost),
    ] {
        print_names(what, names);
    }
    let Some(differences) = &restored.differences else {
        println!("The replaced database is of another version. {UNKNOWN}");
        return;
    };
    let kept = |difference| keys == RestoredKeys::Kept && difference == Difference::ServerKeysReturned;
    for (difference, names) in differences.iter().filter(|(difference, _)| !kept(*difference)) {
        print_names(says(*difference), names);
    }
}

fn print_names(what: &str, names: &[String]) {
    let listed = names.iter().take(MOST_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        _ if names.is_empty() => {}
        0 => println!("{what}: {}", printable(&listed)),
        more => println!("{what}: {}, and {more} more", printable(&listed)),
    }
}

fn says(difference: Difference) -> &'static str {
    match difference {
        Difference::FactorsReturned => "Second factors removed since the backup, valid again",
        Difference::FactorsLost => "Second factors added since the backup, missing again",
        Difference::Groups => "Groups changed since the backup, as they were",
        Difference::Emails => "E-mail address changed since the backup, as it was",
        Difference::UserKeysReturned => "User keys revoked since the backup, valid again",
        Difference::AllowedReturned => "Removed from the allowlist since the backup, never banned again",
        Difference::AllowedLost => "Added to the allowlist since the backup, no longer on it",
        Difference::BansReturned => "Bans lifted since the backup, in force again",
        Difference::BansLost => "Banned by an operator since the backup, no longer banned",
        Difference::ClientsReturned => "Clients removed since the backup, exist again",
        Difference::ClientsLost => "Clients added since the backup, no longer exist",
        Difference::ClientsChanged => {
            "Clients changed or disabled since the backup, as they were, with their old secrets"
        }
        Difference::ServicesReturned => "Services removed or changed since the backup, as they were",
        Difference::ServicesLost => "Services added since the backup, no longer exist",
        Difference::ServerKeysReturned => "Server keys revoked since the backup, valid again",
    }
}

fn key_place(config: &Config) -> String {
    config.key_encryption_key_file().display().to_string()
}

/// Reads the passphrase from a file, or asks for it: twice if a typo could not be detected later.
fn passphrase(file: Option<&Path>, twice: bool) -> Result<Passphrase, Failure> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let text = Zeroizing::new(text);
        return Ok(Passphrase::new(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))?);
    }
    if !std::io::stdin().is_terminal() {
        return Err("a passphrase is needed: use --passphrase-file, or run this at a terminal".into());
    }
    let first = Zeroizing::new(rpassword::prompt_password("Passphrase: ")?);
    if twice && *first != rpassword::prompt_password("Again: ")? {
        return Err("the two passphrases differ".into());
    }
    Ok(Passphrase::new(first)?)
}
