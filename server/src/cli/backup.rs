//! `postern backup` and `postern restore`

use super::print::{moment, printable};
use super::{Failure, Outcome, data_folder};
use crate::backup::{self, Brought, Passphrase, Wish};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::operator::Operator;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use store::Store;
use store::audit::Event;
use zeroize::Zeroizing;

#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// Where to write; must not be there yet
    file: PathBuf,
    /// Put the key-encryption key into the file too, encrypted by a passphrase
    #[arg(long)]
    with_key: bool,
    /// Read the passphrase from the first line of a file instead of asking for it
    #[arg(long, value_name = "FILE", requires = "with_key")]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// What 'postern backup' wrote
    file: PathBuf,
    /// Replace a database, or another key-encryption key, that is there
    #[arg(long)]
    force: bool,
    /// Let people who were signed in then be signed in again, those who have signed out since among them
    #[arg(long)]
    keep_sessions: bool,
    /// Leave the key-encryption key of the backup alone
    #[arg(long)]
    without_key: bool,
    /// Read the passphrase from the first line of a file instead of asking for it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

pub async fn backup(config: Config, args: BackupArgs) -> Outcome {
    if config.sqlite_file().is_some_and(|file| !file.exists()) {
        return Err("there is no database yet".into());
    }
    let passphrase = if args.with_key { Some(passphrase(args.passphrase_file.as_deref(), true)?) } else { None };
    let store = super::store::open(&config).await?;
    backup::write(&config, &*store, &args.file, passphrase.as_ref(), &SystemEntropy, SystemClock.now()).await?;
    record(&config, &*store, Event::BackupMade, &args.file).await?;
    store.close().await;
    println!("Written and read again: {}", args.file.display());
    if !args.with_key {
        println!("The key-encryption key is not in it ({}): keep a copy of it elsewhere.", key_place(&config));
    }
    Ok(())
}

pub async fn restore(config: Config, args: RestoreArgs) -> Outcome {
    data_folder(&config)?;
    let wish = Wish { force: args.force, keep_sessions: args.keep_sessions, now: SystemClock.now() };
    let restoring = backup::prepare(&config, &args.file, wish).await?;
    let has_key = restoring.has_key() && !args.without_key;
    let passphrase = if has_key { Some(passphrase(args.passphrase_file.as_deref(), false)?) } else { None };
    let brought = restoring.brought().clone();
    restoring.finish(&config, passphrase.as_ref(), args.force)?;
    let store = super::store::open(&config).await?;
    record(&config, &*store, Event::BackupRestored, &args.file).await?;
    store.close().await;
    brought_back(&brought, args.keep_sessions);
    if has_key {
        println!("The key-encryption key is restored too: {}", key_place(&config));
    } else {
        println!("It opens with the key-encryption key that it was made with: put that at {}", key_place(&config));
    }
    Ok(())
}

/// Writes a row of the audit log: which file was written or put back.
async fn record(config: &Config, store: &dyn Store, event: Event, file: &Path) -> store::Result<()> {
    let operator = Operator::command_line(store, config, &SystemEntropy, SystemClock.now());
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    store.append(&operator.entry(event, name)).await
}

/// Prints what an operator has to look at now.
fn brought_back(brought: &Brought, keep_sessions: bool) {
    let of = brought.made_at.map_or_else(|| "of an unknown day".to_owned(), |at| format!("of {} UTC", moment(at)));
    println!("Restored the backup {of}.");
    println!("Accounts: {}", brought.accounts);
    if keep_sessions {
        println!("Sessions kept: {}, those that somebody has ended since among them", brought.settled.sessions);
    } else {
        println!("Sessions ended: {}", brought.settled.sessions);
    }
    println!("Invitations and reset links voided: {}", brought.settled.links);
    let Some(returned) = &brought.returned else {
        println!(
            "There was no database to compare with. Accounts that were deleted, disabled or lost a role since the \
             backup have it back, and old passwords are good again: see 'postern user list'."
        );
        return;
    };
    for (what, names) in [
        ("Deleted since the backup, and back", &returned.deleted),
        ("Disabled since the backup, and enabled again", &returned.disabled),
        ("Administrators again", &returned.administrators),
        ("With the password of the backup, not the newer one", &returned.passwords),
        ("Added since the backup, and gone", &returned.lost),
    ] {
        if !names.is_empty() {
            println!("{what}: {}", printable(&names.join(", ")));
        }
    }
}

fn key_place(config: &Config) -> String {
    config.key_encryption_key_file().display().to_string()
}

/// Asked for twice where a slip could not be found out later.
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
        return Err("the two are not the same".into());
    }
    Ok(Passphrase::new(first)?)
}
