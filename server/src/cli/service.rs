//! `postern service add|list|remove`

use super::file_name::file_name;
use super::print::{self, not_found, utc_time};
use super::role_name::RoleName;
use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::services;
use clap::Subcommand;
use domain::account::Role;
use serde_json::Value;
use std::path::{Path, PathBuf};
use wire::services::Service;

#[derive(Debug, Subcommand)]
pub(super) enum ServiceCommand {
    /// Register a service by its public key, or replace its key
    Add {
        /// The service's name in requests for tickets: lower-case letters, digits, -
        #[arg(allow_hyphen_values = true)]
        name: String,
        /// Its public P-256 key as a JWK
        #[arg(long, value_name = "FILE", value_parser = file_name())]
        key: PathBuf,
        /// Role that a person needs for tickets [default: any]
        #[arg(long, value_enum)]
        role: Option<RoleName>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the services
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Stop issuing tickets for a service
    Remove {
        /// The service's name
        #[arg(allow_hyphen_values = true)]
        name: String,
    },
}

pub(super) async fn run(config: Config, command: ServiceCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        ServiceCommand::Add { name, key, role, json } => {
            let role = role.map(|role| Role::from(role).as_str());
            let service = services::set(&actor, &name, &read(&key)?, role).await?;
            if json {
                return print::json(&service);
            }
            println!("{} is registered. Its tickets are encrypted to the key {}.", service.name, service.kid);
            Ok(())
        }
        ServiceCommand::List { json } => list(services::list(actor.store).await?, json),
        ServiceCommand::Remove { name } => remove(&actor, &name).await,
    }
}

pub(super) async fn remove(actor: &Actor<'_>, name: &str) -> Outcome {
    if !services::remove(actor, name).await? {
        return Err(not_found(format!("no service is named {name}")));
    }
    println!("{name} is removed. Issued tickets expire within five minutes.");
    Ok(())
}

fn list(services: Vec<Service>, json: bool) -> Outcome {
    if json {
        return print::json(&services);
    }
    if services.is_empty() {
        print::empty("There is no service.");
        return Ok(());
    }
    let rows = services.into_iter().map(|service| {
        let role = service.role.unwrap_or_else(|| "everybody".to_owned());
        [service.name, service.kid, role, utc_time(service.changed_at)]
    });
    print::table(["NAME", "KEY", "FOR", "CHANGED (UTC)"], rows);
    Ok(())
}

pub(super) fn read(path: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // The text is not repeated, because it may be a private key.
    serde_json::from_str(&text).map_err(|_| format!("{} is not JSON", path.display()).into())
}
