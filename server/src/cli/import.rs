//! `postern user import`

use super::file_name::file_name;
use super::{Failure, Outcome, output, print};
use crate::flows::actor::Actor;
use crate::flows::mail::MailError;
use crate::flows::reset;
use crate::imports::{self, CheckedImport, Existing, ImportAccount, ImportFormat, MissingHashes, RawAccount};
use crate::key_encryption::KeyEncryptionKey;
use crate::passwords::HashPool;
use crate::user_keys;
use domain::account::{AccountName, Role};
use domain::ids::UserId;
use domain::profile::EmailAddress;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use store::Store;
use store::audit::AuditEvent;
use store::imports::{Conflicting, Import, ImportOutcome, ImportUser};
use store::users::{NewUser, PasswordHash};
use zeroize::Zeroizing;

/// Validity of an import's links in days.
const LINK_DAYS: i64 = 7;
const DAY_MS: i64 = 24 * 60 * 60_000;
/// Set-up makes no administrator where an account exists.
const NO_ADMINISTRATOR: &str =
    "no enabled account is an administrator. Choose one: postern user role NAME administrator";

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own name")]
pub(super) struct ImportArgs {
    /// The file to import
    #[arg(value_parser = file_name())]
    file: PathBuf,
    /// Format of the file
    #[arg(long, value_enum)]
    format: ImportFormat,
    /// Check every line and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Import the valid lines if others are not
    #[arg(long)]
    skip_invalid: bool,
    /// Make accounts without a usable password hash, and print a one-time link for each that sets a password, valid for
    /// 7 days
    #[arg(long)]
    reset_links: bool,
    /// Write these links to a file that only its owner can read, instead of printing them; must not exist
    #[arg(long, value_name = "FILE", value_parser = file_name())]
    links: Option<PathBuf>,
    /// Mail these links to the accounts' addresses; with --links or --reset-links only those of accounts without one are
    /// handed over
    #[arg(long)]
    mail: bool,
}

impl ImportArgs {
    /// Whether links are handed to the operator.
    fn hands_over(&self) -> bool {
        self.reset_links || self.links.is_some()
    }

    fn missing_hashes(&self) -> MissingHashes {
        match (self.hands_over(), self.mail) {
            (true, _) => MissingHashes::Links,
            (false, true) => MissingHashes::Mail,
            (false, false) => MissingHashes::Refused,
        }
    }
}

pub(super) async fn run(actor: &Actor<'_>, key: &KeyEncryptionKey, args: &ImportArgs) -> Outcome {
    if args.mail && actor.config.settings.mail.server.is_none() {
        return Err(MailError::Off.into());
    }
    let raw = imports::read(&args.file, args.format).await;
    let raw = raw.map_err(|error| format!("{}: {error}", args.file.display()))?;
    if raw.is_empty() {
        return Err(format!("{} has no accounts", args.file.display()).into());
    }
    let accounts = conflicting(actor.store, &raw).await?;
    let emails = accounts.iter().filter_map(|account| account.email.as_ref()).map(|email| &email.address);
    let existing = Existing::new(accounts.iter().map(|account| account.name.as_str()), emails);
    let checked = imports::check(&raw, existing, args.missing_hashes());
    let rows =
        checked.faults.iter().map(|fault| [fault.location.clone(), fault.username.clone(), fault.problem.clone()]);
    if !checked.faults.is_empty() {
        print::table(["WHERE", "ACCOUNT", "PROBLEM"], rows);
    }
    let (all, good) = (raw.len(), checked.accounts.len());
    let taken = args.links.as_deref().filter(|file| file.symlink_metadata().is_ok());
    let administrator = has_administrator(actor, &checked).await?;
    if args.dry_run {
        summary(&checked, all);
        if !administrator {
            eprintln!("Afterwards, {NO_ADMINISTRATOR}");
        }
        if good < all {
            if let Some(file) = taken {
                eprintln!("{}", exists(file));
            }
            return Err(format!("{} of {all} accounts have faults", all - good).into());
        }
        return taken.map_or(Ok(()), |file| Err(exists(file).into()));
    }
    if good < all && !args.skip_invalid {
        let faulty = all - good;
        return Err(format!(
            "{faulty} of {all} accounts have faults, and nothing was written: correct the file, or add --skip-invalid"
        )
        .into());
    }
    if let Some(file) = taken {
        return Err(exists(file).into());
    }
    write(actor, key, &checked, args).await?;
    if !administrator {
        eprintln!("Now, {NO_ADMINISTRATOR}");
    }
    Ok(())
}

/// Whether an enabled administrator exists after the import.
async fn has_administrator(actor: &Actor<'_>, checked: &CheckedImport) -> store::Result<bool> {
    let is = |account: &ImportAccount| account.role == Role::Administrator && !account.disabled;
    Ok(checked.accounts.iter().any(is) || !actor.store.administrators(actor.config.relying_party()).await?.is_empty())
}

/// Returns the accounts that those of the file may not be like. Reads no others.
async fn conflicting(store: &dyn Store, raw: &[RawAccount]) -> store::Result<Vec<Conflicting>> {
    let mut found = Vec::new();
    for one in raw {
        // A name that cannot be read is a fault, whatever accounts exist.
        let Ok(name) = AccountName::parse(&one.username) else { continue };
        let email = EmailAddress::parse(&one.email).ok();
        found.extend(store.conflicting(&name, email.as_ref()).await?);
    }
    Ok(found)
}

fn summary(checked: &CheckedImport, all: usize) {
    let groups: std::collections::BTreeSet<_> =
        checked.accounts.iter().flat_map(|account| account.groups.iter().map(ToString::to_string)).collect();
    let links = checked.accounts.iter().filter(|account| account.hash.is_none()).count();
    eprintln!(
        "{} of {all} accounts can be imported, in {} groups. Nothing was written.",
        checked.accounts.len(),
        groups.len()
    );
    if links > 0 {
        eprintln!("{links} of them have no password hash that can be imported, and get a one-time link instead.");
    }
}

fn exists(file: &Path) -> String {
    format!(
        "{} exists and is not replaced. If an interrupted import wrote it, its links work if 'postern user list' shows the \
         accounts. Otherwise delete it",
        file.display()
    )
}

/// Writes the links before the accounts. Otherwise an interrupted run would leave accounts whose links nobody has.
fn hand_over(links: &str, file: Option<&Path>) -> Outcome {
    let Some(file) = file.filter(|_| !links.is_empty()) else {
        print!("{links}");
        return output::is_whole()
            .map_err(|error| format!("the links cannot be printed: {error}. Nothing was imported").into());
    };
    owner_file::create(file, links.as_bytes()).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(file).into(),
        _ => format!("{}: {error}. Nothing was imported", file.display()).into(),
    })
}

async fn write(actor: &Actor<'_>, key: &KeyEncryptionKey, checked: &CheckedImport, args: &ImportArgs) -> Outcome {
    let file = args.links.as_deref();
    let hashes = HashPool::start(&actor.config.settings, actor.entropy)?;
    let mut groups = BTreeMap::new();
    let mut users = Vec::with_capacity(checked.accounts.len());
    for account in &checked.accounts {
        for group in &account.groups {
            groups.entry(group.key()).or_insert_with(|| {
                (actor.entropy.ulid(actor.now), group.clone(), actor.entry(AuditEvent::GroupAdded, group))
            });
        }
        users.push(import_user(actor, key, &hashes, account)?);
    }
    let mut links = Zeroizing::new(String::new());
    for (account, one) in checked.accounts.iter().zip(&mut users).filter(|(account, _)| account.hash.is_none()) {
        let recipient = account.email.as_ref().filter(|_| args.mail && !account.disabled);
        if let Some(email) = recipient {
            let (reset, audit, mail) =
                reset::unstored_mail(actor, key, &one.user.id, &email.address, LINK_DAYS * DAY_MS)?;
            one.reset = Some((reset, audit));
            one.mail = Some(mail);
            continue;
        }
        if !args.hands_over() {
            continue;
        }
        let (link, reset, audit) = reset::unstored(actor, &one.user.id, LINK_DAYS * DAY_MS);
        let line = Zeroizing::new(format!("{}\t{link}\n", account.name));
        links.push_str(&line);
        one.reset = Some((reset, audit));
    }
    hand_over(&links, file)?;
    let import = Import { users, groups: groups.into_values().collect(), now: actor.now };
    match actor.store.import(&import).await? {
        ImportOutcome::Done { groups } => {
            eprintln!("Imported {} accounts and made {} groups.", import.users.len(), groups.len());
            let mailed = import.users.iter().filter(|one| one.mail.is_some()).count();
            if mailed > 0 {
                eprintln!("The running server mails {mailed} links, valid for {LINK_DAYS} days.");
            }
            Ok(())
        }
        ImportOutcome::Taken(name) => {
            remove(file.filter(|_| !links.is_empty()))?;
            Err(format!("the name or address of {name} was taken meanwhile, and nothing was written: try again").into())
        }
        ImportOutcome::MailOff => {
            remove(file.filter(|_| !links.is_empty()))?;
            Err("no server has sent mail here in the last hour, and nothing was written: start the server with mail, then \
                 try again"
                .into())
        }
    }
}

/// Deletes a file whose links lead nowhere.
fn remove(file: Option<&Path>) -> std::io::Result<()> {
    file.map_or(Ok(()), std::fs::remove_file)
}

fn import_user(
    actor: &Actor<'_>,
    key: &KeyEncryptionKey,
    hashes: &HashPool,
    account: &ImportAccount,
) -> Result<ImportUser, Failure> {
    let id = UserId::from(actor.entropy.ulid(actor.now));
    let (hash, imported_parameters) = match &account.hash {
        Some(hash) => (hash.text.clone(), Some(hash.parameters.clone())),
        None => (hashes.unusable(actor.entropy)?, None),
    };
    let user = NewUser {
        audit: actor.entry_of(AuditEvent::UserAdded, &id),
        key: user_keys::make(key, actor.entropy, &id, 1)?,
        id,
        name: account.name.clone(),
        password_hash: PasswordHash(hash),
        role: account.role,
        now: actor.now,
        only_first: false,
        invitation: None,
        session: None,
        attempt: None,
    };
    Ok(ImportUser {
        user,
        imported_parameters,
        display_name: account.display_name.clone(),
        email: account.email.clone(),
        groups: account.groups.clone(),
        disabled: account.disabled,
        reset: None,
        mail: None,
    })
}
