//! `postern group add|list|rename|remove|members`

use super::print::{self, not_found};
use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::profiles::{self, ProfileError};
use clap::Subcommand;
use wire::account::Group;

#[derive(Debug, Subcommand)]
pub(super) enum GroupCommand {
    /// Add a group
    Add {
        /// The group's name
        name: String,
    },
    /// List groups with their number of accounts
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Rename a group; rules of apps that name it must be changed too
    Rename {
        /// The group's name
        group: String,
        /// Its new name
        name: String,
    },
    /// Remove a group; its accounts stay
    Remove {
        /// The group's name
        group: String,
    },
    /// List the accounts of a group
    Members {
        /// The group's name
        group: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(config: Config, command: GroupCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        GroupCommand::Add { name } => {
            let group = profiles::add_group(&actor, &name).await.map_err(|error| refused(error, &name))?;
            println!("Added the group {}.", group.name);
        }
        GroupCommand::List { json } => return list(&actor, json).await,
        GroupCommand::Rename { group, name } => {
            let found = find(&actor, &group).await?;
            profiles::rename_group(&actor, &found.id, &name).await.map_err(|error| refused(error, &name))?;
            println!("The group {} is now {}. Running servers follow within a second.", found.name, name.trim());
            warn(&actor, &found.name);
        }
        GroupCommand::Remove { group } => {
            let found = find(&actor, &group).await?;
            profiles::remove_group(&actor, &found).await.map_err(|error| refused(error, &group))?;
            println!("Removed the group {}. Running servers follow within a second.", found.name);
            warn(&actor, &found.name);
        }
        GroupCommand::Members { group, json } => {
            let members = profiles::members(actor.store, &find(&actor, &group).await?.id).await?;
            if json {
                return print::json(&members);
            }
            if members.is_empty() {
                print::empty("No account is in this group.");
                return Ok(());
            }
            print::table(["ACCOUNT", "ID"], members.into_iter().map(|member| [member.username, member.id]));
        }
    }
    Ok(())
}

async fn list(actor: &Actor<'_>, json: bool) -> Outcome {
    let groups = profiles::groups(actor.store).await?;
    if json {
        return print::json(&groups);
    }
    if groups.is_empty() {
        print::empty("There is no group.");
        return Ok(());
    }
    print::table(["GROUP", "ACCOUNTS"], groups.into_iter().map(|group| [group.name, group.members.to_string()]));
    Ok(())
}

async fn find(actor: &Actor<'_>, group: &str) -> Result<Group, Failure> {
    match profiles::find_group(actor.store, group).await {
        Err(ProfileError::NoGroup) => Err(not_found(format!("there is no group {group}"))),
        found => Ok(found?),
    }
}

fn refused(error: ProfileError, name: &str) -> Failure {
    match error {
        ProfileError::GroupTaken => format!("the group {} exists already", name.trim()).into(),
        error => error.into(),
    }
}

/// Warns if an app's rules name a group that is gone now.
fn warn(actor: &Actor<'_>, name: &str) {
    let names = |app: &&crate::config::App| app.groups.iter().any(|group| group.key() == name.to_ascii_lowercase());
    for app in actor.config.apps.iter().filter(names) {
        eprintln!("The rules of the app {} still name the group {name}.", app.name);
    }
}
