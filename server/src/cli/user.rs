//! `postern user add|list|show|set|set-password|disable|enable|role|reset|factors|remove-factors|delete`

use super::user_command::UserCommand;
use super::wrong_value::wrong_value;
use super::{Failure, Outcome, import, print};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::profiles::{self, ProfileEdit, ProfileError};
use crate::flows::{factors, passkeys, reset, users};
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::Keyring;
use crate::passwords::{HashPool, common};
use crate::user_keys;
use domain::account::{AccountDigest, AccountName, Role, is_reserved};
use domain::ids::UserId;
use domain::password::check_length;
use std::io::{BufRead, IsTerminal};
use store::audit::AuditEvent;
use store::users::{AddUserOutcome, ChangeOutcome, NewUser, PasswordHash, RenameOutcome, SetPassword, User};
use zeroize::Zeroizing;

pub(super) async fn run(config: Config, command: UserCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    let desk = UserAdmin { actor };
    match command {
        UserCommand::Add { name, role, allow_reserved } => desk.add(&name, role.into(), allow_reserved).await,
        UserCommand::List { after, limit, json } => desk.list(after.as_deref(), limit, json).await,
        UserCommand::SetPassword { name } => desk.set_password(&name).await,
        UserCommand::Disable { name } => desk.set_disabled(&name, true).await,
        UserCommand::Enable { name } => desk.set_disabled(&name, false).await,
        UserCommand::Role { name, role } => desk.set_role(&name, role.into()).await,
        UserCommand::Rename { account, name, allow_reserved } => desk.rename(&account, &name, allow_reserved).await,
        UserCommand::Set { account, display_name, email, groups } => {
            desk.set(&account, display_name.as_deref(), email.as_deref(), groups.as_deref()).await
        }
        UserCommand::Show { account, json } => desk.show(&account, json).await,
        UserCommand::Import(args) => {
            let key = desk.keys().await?.0;
            import::run(&desk.actor, &key, &args).await
        }
        UserCommand::Reset { name, mail, json } => desk.reset(&name, mail, json).await,
        UserCommand::Passkeys { name, remove: None, json } => desk.passkeys(&name, json).await,
        UserCommand::Passkeys { name, remove: Some(id), .. } => desk.remove_passkey(&name, &id).await,
        UserCommand::Factors { name, json } => desk.factors(&name, json).await,
        UserCommand::RemoveFactors { name } => desk.remove_factors(&name).await,
        UserCommand::Delete { name, yes } => desk.delete(&name, yes).await,
    }
}

struct UserAdmin<'a> {
    actor: Actor<'a>,
}

impl UserAdmin<'_> {
    async fn add(&self, name: &str, role: Role, allow_reserved: bool) -> Outcome {
        let name = AccountName::parse(name)?;
        check_reserved(&name, role, allow_reserved)?;
        let hash = self.ask_password(name.as_str()).await?;
        let Actor { entropy, now, .. } = self.actor;
        let id = UserId::from(entropy.ulid(now));
        let (key, _) = self.keys().await?;
        let key = user_keys::make(&key, entropy, &id, 1)?;
        let audit = self.actor.entry_of(AuditEvent::UserAdded, &id);
        let user = NewUser {
            id,
            name,
            password_hash: hash,
            role,
            key,
            now,
            only_first: false,
            invitation: None,
            audit,
            session: None,
            attempt: None,
        };
        match self.actor.store.add_user(&user).await? {
            AddUserOutcome::Added => {
                println!("Added {}.", user.name);
                Ok(())
            }
            AddUserOutcome::NameConfusable => Err(confusable_name(&user.name)),
            AddUserOutcome::NameTaken | AddUserOutcome::NotFirst | AddUserOutcome::NotInvited => {
                Err(format!("the name {} is taken", user.name).into())
            }
        }
    }

    async fn list(&self, after: Option<&str>, limit: u32, json: bool) -> Outcome {
        let after = match after {
            Some(name) => self.find(name).await?.id.into(),
            None => String::new(),
        };
        let (users, next) = users::page(self.actor.store, &after, usize::try_from(limit).unwrap_or(usize::MAX)).await?;
        if let (Some(_), Some(last)) = (next, users.last()) {
            eprintln!("More accounts follow: add --after {}", last.username);
        }
        if json {
            return print::json(&users);
        }
        let rows = users.into_iter().map(|user| {
            let (groups, email) = (user.groups.join(","), user.email.as_ref().map(email_line).unwrap_or_default());
            let state = state(user.disabled).to_owned();
            [user.username, user.role, state, groups, user.display_name.unwrap_or_default(), email]
        });
        print::table(["ACCOUNT", "ROLE", "STATE", "GROUPS", "DISPLAY NAME", "E-MAIL"], rows);
        Ok(())
    }

    async fn set(
        &self,
        account: &str,
        display_name: Option<&str>,
        email: Option<&str>,
        groups: Option<&str>,
    ) -> Outcome {
        let groups: Option<Vec<String>> = groups.map(|groups| {
            groups.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        });
        let edit = ProfileEdit { display_name, email, groups: groups.as_deref() };
        if edit.is_empty() {
            return Err(wrong_value("name at least one of --display-name, --email and --groups"));
        }
        let user = self.find(account).await?;
        profiles::set(&self.actor, &user.id, &edit).await.map_err(|error| match error {
            ProfileError::UnknownGroup(_) => print::not_found(error.to_string()),
            error => error.into(),
        })?;
        println!("The profile of {} is changed. Running servers follow within a second.", user.name);
        Ok(())
    }

    async fn show(&self, account: &str, json: bool) -> Outcome {
        let user = self.find(account).await?;
        let profile = self.actor.store.profile(&user.id).await?.unwrap_or_default();
        let account = users::shown(user, &profile);
        if json {
            return print::json(&account);
        }
        let signed_in = account.signed_in_at.map_or_else(|| "never".to_owned(), print::utc_time);
        let rows = [
            ("account", account.username),
            ("id", account.id),
            ("role", account.role),
            ("state", state(account.disabled).to_owned()),
            ("display name", account.display_name.unwrap_or_default()),
            ("e-mail", account.email.as_ref().map(email_line).unwrap_or_default()),
            ("groups", account.groups.join(",")),
            ("joined", print::utc_time(account.created_at)),
            ("signed in", signed_in),
        ];
        print::table(["FACT", "VALUE"], rows.map(|(fact, value)| [fact.to_owned(), value]));
        Ok(())
    }

    async fn set_password(&self, name: &str) -> Outcome {
        let user = self.find(name).await?;
        let hash = self.ask_password(&user.name).await?;
        let password = SetPassword {
            account: self.digest(&user).await?.as_str().to_owned(),
            hash,
            audit: self.actor.entry_of(AuditEvent::PasswordSet, &user.id),
            user: user.id,
            now: self.actor.now,
        };
        if !self.actor.store.set_password(&password).await? {
            return Err(print::not_found(format!("there is no account {name}")));
        }
        println!("The password of {name} is set. All sessions of the account have ended.");
        Ok(())
    }

    async fn set_disabled(&self, name: &str, disabled: bool) -> Outcome {
        let user = self.find(name).await?;
        let word = if disabled { "disabled" } else { "enabled" };
        let changed = users::set_disabled(&self.actor, &user, disabled).await?;
        settle(changed, &format!("{} is {word}", user.name))
    }

    async fn set_role(&self, name: &str, role: Role) -> Outcome {
        let user = self.find(name).await?;
        let changed = users::set_role(&self.actor, &user, role).await?;
        settle(changed, &format!("{} has the role {}", user.name, role.as_str()))
    }

    async fn rename(&self, account: &str, name: &str, allow_reserved: bool) -> Outcome {
        let (user, name) = (self.find(account).await?, AccountName::parse(name)?);
        check_reserved(&name, user.role, allow_reserved)?;
        let audit = self.actor.entry_of(AuditEvent::UserRenamed, &user.id);
        match self.actor.store.rename_user(&user.id, &name, &audit, self.actor.now).await? {
            RenameOutcome::Renamed => {
                println!("{} is now {name}. Live sessions show the new name after their next refresh.", user.name);
                Ok(())
            }
            RenameOutcome::NameTaken => Err(format!("the name {name} is taken").into()),
            RenameOutcome::NameConfusable => Err(confusable_name(&name)),
            RenameOutcome::NoUser => Err(print::not_found(format!("there is no account {account}"))),
        }
    }

    async fn delete(&self, name: &str, yes: bool) -> Outcome {
        let user = self.find(name).await?;
        if !yes && !agrees(&user.name)? {
            return Err("nothing was deleted".into());
        }
        let changed = users::delete(&self.actor, &user, &self.digest(&user).await?).await?;
        settle(changed, &format!("{} is deleted", user.name))
    }

    async fn reset(&self, name: &str, mail: bool, json: bool) -> Outcome {
        let user = self.find(name).await?;
        let made = if mail {
            let key = super::store::key(&self.actor).await?;
            reset::link_by_mail(&self.actor, &key, &user.id).await?
        } else {
            reset::link(&self.actor, &user.id).await?
        };
        if json {
            return print::json(&made);
        }
        println!("{}", made.link);
        if let Some(mailed) = made.mailed {
            eprintln!("{}", super::mail::queued(mailed));
        }
        eprintln!("With this link {} can set a new password once, within an hour.", user.name);
        Ok(())
    }

    async fn passkeys(&self, name: &str, json: bool) -> Outcome {
        let user = self.find(name).await?;
        let passkeys = passkeys::listed(self.actor.store, &user.id).await?;
        if json {
            return print::json(&passkeys);
        }
        let rows = passkeys.into_iter().map(|passkey| {
            let used = passkey.used_at.map_or_else(|| "never".to_owned(), print::utc_time);
            [passkey.id, passkey.label, passkey.host, print::utc_time(passkey.created_at), used]
        });
        print::table(["ID", "NAME", "HOST", "ADDED", "LAST USED"], rows);
        Ok(())
    }

    async fn remove_passkey(&self, name: &str, id: &str) -> Outcome {
        let user = self.find(name).await?;
        let audit = self.actor.entry_of(AuditEvent::PasskeyRemoved, &user.id);
        if !passkeys::remove_from(self.actor.store, &user.id, id, audit).await? {
            let says = format!("{} has no passkey with the id {id}: see postern user passkeys {name}", user.name);
            return Err(print::not_found(says));
        }
        println!("The passkey is removed. {} can no longer sign in with it; sessions continue.", user.name);
        Ok(())
    }

    async fn factors(&self, name: &str, json: bool) -> Outcome {
        let user = self.find(name).await?;
        let factors = self.actor.store.factors(&user.id, self.actor.config.relying_party()).await?;
        let remembered = self.actor.store.remembered_devices(&user.id, self.actor.now).await?;
        let passkey_after_password = factors.passkeys > 0 && factors.passkey_after_password;
        if json {
            return print::json(&serde_json::json!({
                "totp": factors.totp, "passkeys": factors.passkeys, "passkey_after_password": passkey_after_password,
                "recovery_codes": factors.recovery_codes, "remembered_devices": remembered.len(),
            }));
        }
        let has = |held| if held { "yes" } else { "no" }.to_owned();
        let rows = [
            ["one-time codes".to_owned(), has(factors.totp)],
            ["passkeys".to_owned(), factors.passkeys.to_string()],
            ["passkey after the password".to_owned(), has(passkey_after_password)],
            ["recovery codes left".to_owned(), factors.recovery_codes.to_string()],
            ["remembered devices".to_owned(), remembered.len().to_string()],
        ];
        print::table(["FACTOR", "STATE"], rows);
        Ok(())
    }

    async fn remove_factors(&self, name: &str) -> Outcome {
        let user = self.find(name).await?;
        if !factors::remove_all(&self.actor, self.actor.store, &user.id).await? {
            return Err(format!("{} has no second factor", user.name).into());
        }
        println!(
            "Passkeys, one-time codes, recovery codes and remembered devices of {} are removed. The password alone signs \
             in now, and the owner sees this.",
            user.name
        );
        Ok(())
    }

    /// Returns the digest that the account's failures are counted by.
    async fn digest(&self, user: &User) -> Result<AccountDigest, Failure> {
        let (_, keyring) = self.keys().await?;
        Ok(keyring.digests.account(&user.name))
    }

    /// Loads the server's keys and the key-encryption key. Loading fails if they do not match.
    async fn keys(&self) -> Result<(KeyEncryptionKey, Keyring), Failure> {
        let key = super::store::key(&self.actor).await?;
        let keyring = Keyring::load(&self.actor.vault(&key)).await?;
        Ok((key, keyring))
    }

    async fn find(&self, name: &str) -> Result<User, Failure> {
        let user = users::find(self.actor.store, name).await?;
        user.ok_or_else(|| print::not_found(format!("there is no account {name}")))
    }

    async fn ask_password(&self, name: &str) -> Result<PasswordHash, Failure> {
        let settings = &self.actor.config.settings;
        let password = read_password()?;
        check_length(&password, settings.password.min)
            .map_err(|error| format!("{error}: it needs {} characters to 1,024 bytes", settings.password.min))?;
        if common::is_common(&password, &[name.to_owned(), settings.site.name.clone()]) {
            return Err("this password is too easy to guess".into());
        }
        let passwords = HashPool::start(settings, &SystemEntropy)?;
        let permit = passwords.permit().ok_or("no hash thread")?;
        let bytes = Zeroizing::new(password.as_bytes().to_vec());
        Ok(PasswordHash(passwords.hash(&permit, bytes, self.actor.entropy.bytes()).await?))
    }
}

fn state(disabled: bool) -> &'static str {
    if disabled { "disabled" } else { "enabled" }
}

/// Formats an address and its state: `ada@example.org (proved)`.
fn email_line(email: &wire::account::Email) -> String {
    let state = match email.state.as_str() {
        "vouched_for" => "vouched for",
        other => other,
    };
    format!("{} ({state})", email.address)
}

/// Refuses a name under which an ordinary account would speak for the site.
fn check_reserved(name: &AccountName, role: Role, allow_reserved: bool) -> Outcome {
    if role == Role::User && !allow_reserved && is_reserved(name) {
        return Err(
            format!("{name} is a reserved name: people would take it for this site. Use --allow-reserved").into()
        );
    }
    Ok(())
}

fn confusable_name(name: &AccountName) -> Failure {
    format!("the name {name} looks like the name of another account: choose another one").into()
}

fn settle(changed: ChangeOutcome, done: &str) -> Outcome {
    match changed {
        ChangeOutcome::Done { .. } => println!("{done}. Running servers follow within a second."),
        ChangeOutcome::Nothing => println!("{done} already."),
        ChangeOutcome::LastAdministrator => {
            return Err("this is the last administrator: make another account an administrator first".into());
        }
    }
    Ok(())
}

fn agrees(name: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err("cannot ask for confirmation without a terminal: add --yes".into());
    }
    eprint!("Delete the account {name}? This cannot be undone. Type its name: ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == name)
}

/// Reads a password: twice without echo in a terminal, otherwise the first line of standard input.
fn read_password() -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() {
        let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
        let second = Zeroizing::new(rpassword::prompt_password("Again: ")?);
        if *first != *second {
            return Err("the two passwords differ".into());
        }
        return Ok(first);
    }
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
