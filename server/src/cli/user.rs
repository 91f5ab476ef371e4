//! `postern user add|list|set-password|disable|enable|role|reset|delete`

use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::{Entropy, SystemEntropy};
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::Keyring;
use crate::passwords::{Passwords, common};
use clap::{Subcommand, ValueEnum};
use domain::account::{AccountDigest, AccountName, Role};
use domain::invitation;
use domain::password::check_length;
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;
use store::Store;
use store::audit::{Entry, Event};
use store::resets::Reset;
use store::users::{Added, Changed, DeleteUser, NewUser, PasswordHash, SetPassword, User};
use zeroize::Zeroizing;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add an account; asks for the password, or reads one line from standard input
    Add {
        name: String,
        #[arg(long, value_enum, default_value = "user")]
        role: RoleName,
    },
    /// List accounts
    List,
    /// Set a password; ends every session of the account
    SetPassword { name: String },
    /// Disable an account; ends every session of it
    Disable { name: String },
    /// Enable a disabled account
    Enable { name: String },
    /// Make an account an administrator's, or an ordinary one
    Role {
        name: String,
        #[arg(value_enum)]
        role: RoleName,
    },
    /// Print a one-time link with which its owner sets a new password
    Reset { name: String },
    /// Delete an account: its sessions end, and only its id stays in the audit trail
    Delete {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    User,
    Administrator,
}

pub async fn run(config: Config, command: Command) -> Outcome {
    let store = super::store::open(&config).await?;
    let office = Office { config, store };
    match command {
        Command::Add { name, role } => office.add(&name, role).await,
        Command::List => office.list().await,
        Command::SetPassword { name } => office.set_password(&name).await,
        Command::Disable { name } => office.set_disabled(&name, true).await,
        Command::Enable { name } => office.set_disabled(&name, false).await,
        Command::Role { name, role } => office.set_role(&name, role).await,
        Command::Reset { name } => office.reset(&name).await,
        Command::Delete { name, yes } => office.delete(&name, yes).await,
    }
}

struct Office {
    config: Config,
    store: Arc<dyn Store>,
}

impl Office {
    async fn add(&self, name: &str, role: RoleName) -> Outcome {
        let name = AccountName::parse(name)?;
        let hash = self.ask_password(&name).await?;
        let role = match role {
            RoleName::User => Role::User,
            RoleName::Administrator => Role::Administrator,
        };
        let (id, now) = (entropy().ulid(SystemClock.now()), SystemClock.now());
        let audit = entry(Event::UserAdded, &id);
        let user = NewUser {
            id,
            name,
            password_hash: hash,
            role,
            now,
            only_first: false,
            invitation: None,
            audit,
            session: None,
            attempt: None,
        };
        match self.store.add_user(&user).await? {
            Added::Added => {
                println!("Added {}.", user.name);
                Ok(())
            }
            Added::NameTaken | Added::NotFirst | Added::NotInvited => {
                Err(format!("the name {} is taken", user.name).into())
            }
        }
    }

    async fn list(&self) -> Outcome {
        for user in self.store.users().await? {
            let state = if user.disabled_at.is_some() { "disabled" } else { "enabled" };
            println!("{}\t{}\t{state}", user.name, user.role.as_str());
        }
        Ok(())
    }

    async fn set_password(&self, name: &str) -> Outcome {
        let user = self.find(name).await?;
        let name = AccountName::parse(&user.name)?;
        let hash = self.ask_password(&name).await?;
        let password = SetPassword {
            account: self.digest(&user).await?,
            hash,
            audit: entry(Event::PasswordSet, &user.id),
            user: user.id,
            now: SystemClock.now(),
        };
        if !self.store.set_password(&password).await? {
            return Err(format!("there is no account {name}").into());
        }
        println!("The password of {name} is set. Every session of the account has ended.");
        Ok(())
    }

    async fn set_disabled(&self, name: &str, disabled: bool) -> Outcome {
        let user = self.find(name).await?;
        let (event, word) = if disabled { (Event::UserDisabled, "disabled") } else { (Event::UserEnabled, "enabled") };
        let changed = self.store.set_disabled(&user.id, disabled, &entry(event, &user.id), SystemClock.now()).await?;
        settle(changed, &format!("{} is {word}", user.name))
    }

    async fn set_role(&self, name: &str, role: RoleName) -> Outcome {
        let user = self.find(name).await?;
        let (role, event) = match role {
            RoleName::User => (Role::User, Event::MadeUser),
            RoleName::Administrator => (Role::Administrator, Event::MadeAdministrator),
        };
        let changed = self.store.set_role(&user.id, role, &entry(event, &user.id), SystemClock.now()).await?;
        settle(changed, &format!("{} has the role {}", user.name, role.as_str()))
    }

    async fn delete(&self, name: &str, yes: bool) -> Outcome {
        let user = self.find(name).await?;
        if !yes && !agrees(&user.name)? {
            return Err("nothing was deleted".into());
        }
        let (address, device) = (String::new(), String::new());
        let deletion = DeleteUser {
            attempt: None,
            account: self.digest(&user).await?,
            audit: Entry { address, device, ..entry(Event::UserDeleted, &user.id) },
            user: user.id,
            now: SystemClock.now(),
        };
        settle(self.store.delete_user(&deletion).await?, &format!("{} is deleted", user.name))
    }

    async fn reset(&self, name: &str) -> Outcome {
        let user = self.find(name).await?;
        let (code, now) = (invitation::code(&entropy().bytes()), SystemClock.now());
        let reset = Reset {
            user: user.id.clone(),
            code_hash: invitation::code_hash(&code),
            made_by: None,
            created_at: now,
            expires_at: now + invitation::RESET_MS,
        };
        self.store.add_reset(&reset, &entry(Event::ResetMade, &user.id)).await?;
        println!("{}{}#code={code}", self.config.origin, wire::paths::RESET_PAGE);
        eprintln!("With this link {} can set a new password, once, for an hour.", user.name);
        Ok(())
    }

    /// What the account's failures are counted by.
    async fn digest(&self, user: &User) -> Result<String, Failure> {
        let key = KeyEncryptionKey::load(&self.config, &SystemEntropy)?;
        let keyring = Keyring::load(&*self.store, &key, &SystemEntropy, &SystemClock).await?;
        Ok(AccountDigest::of(&keyring.macs.account, &user.name).as_str().to_owned())
    }

    async fn find(&self, name: &str) -> Result<User, Failure> {
        let key = AccountName::parse(name)?;
        self.store.user_by_key(key.key()).await?.ok_or_else(|| format!("there is no account {key}").into())
    }

    async fn ask_password(&self, name: &AccountName) -> Result<PasswordHash, Failure> {
        let settings = &self.config.settings;
        let password = read_password()?;
        check_length(&password, settings.password.min)
            .map_err(|error| format!("{error}: {} characters to 1,024 bytes", settings.password.min))?;
        if common::is_common(&password, &[name.as_str().to_owned(), settings.site.name.clone()]) {
            return Err("this password is among the first that are guessed".into());
        }
        let passwords = Passwords::start(settings, &SystemEntropy)?;
        let place = passwords.place().ok_or("no hash thread")?;
        let bytes = Zeroizing::new(password.as_bytes().to_vec());
        Ok(PasswordHash(passwords.hash(&place, bytes, entropy().bytes()).await?))
    }
}

fn settle(changed: Changed, done: &str) -> Outcome {
    match changed {
        Changed::Done { .. } => println!("{done}. A running server knows within a second."),
        Changed::Nothing => println!("{done} already."),
        Changed::LastAdministrator => return Err("this is the last administrator: make another one first".into()),
    }
    Ok(())
}

fn agrees(name: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err("there is nobody to ask: add --yes".into());
    }
    eprint!("Delete the account {name} for good? Type its name: ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == name)
}

/// At a terminal it is not shown and asked twice; else it is the first line of standard input.
fn read_password() -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() {
        let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
        let second = Zeroizing::new(rpassword::prompt_password("Again: ")?);
        if *first != *second {
            return Err("the two are not the same".into());
        }
        return Ok(first);
    }
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

pub fn entropy() -> &'static dyn Entropy {
    &SystemEntropy
}

pub fn entry(event: Event, user: &str) -> Entry {
    let now = SystemClock.now();
    Entry {
        id: entropy().ulid(now),
        at: now,
        event,
        outcome: crate::flows::audit::OK.to_owned(),
        user: Some(user.to_owned()),
        session: None,
        address: "-".to_owned(),
        device: "Command line".to_owned(),
        actor: None,
        about: String::new(),
    }
}
