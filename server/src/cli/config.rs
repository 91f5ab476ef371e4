//! `postern config check|print`

use super::wrong_value::wrong_value;
use super::{Failure, Outcome};
use crate::config::{Config, Origins, effective};
use crate::error_chain::chain;
use crate::flows::{oauth_clients, profiles};
use crate::key_encryption::KeySource;
use crate::mailer::Mailer;
use crate::outbound::Outbound;
use crate::view_key::view_pair;
use clap::Subcommand;
use std::time::Duration;
use tokio::time::timeout;

/// Time limit for reading the database.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the settings and the files that they name; exit code 2 and the location if one is invalid
    Check,
    /// Print every setting with its value and source, without passwords
    Print,
}

/// Runs the command. Invalid settings were already reported.
pub(super) async fn run(config: Config, origins: &Origins, command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Check => {
            files(&config)?;
            println!("Configuration is valid. Public URL: {}.", config.origin);
            match domain::passkey::relying_party(&config.origin) {
                Some(host) => println!("Passkeys work for the host {host} only. They are lost if the host changes."),
                None => println!("Passkeys do not work, because the public URL names an address instead of a host."),
            }
            groups(&config).await?;
            stored(&config).await
        }
        ConfigCommand::Print => {
            print!("{}", effective(&config.settings, origins));
            Ok(())
        }
    }
}

/// Reads the files and secrets that programs read when they start, so that a restart does not find the mistake.
fn files(config: &Config) -> Outcome {
    let tls = &config.settings.tls;
    if let Some((certificate, key)) = tls.certificate.as_deref().zip(tls.key.as_deref()) {
        net::validity(certificate, key).map_err(|error| wrong_value(format!("tls: {}", chain(&error))))?;
    }
    let source = KeySource::of(config);
    // The first start makes the file.
    let is_made = if let KeySource::File(path) = &source { path.exists() } else { true };
    if is_made {
        source.keys().map_err(|error| wrong_value(chain(&error)))?;
    }
    Mailer::load(config).map_err(|error| wrong_value(chain(&error)))?;
    let authorities = Outbound::new(config).certificates().map_err(|error| wrong_value(chain(&error)))?;
    if authorities.is_empty() && config.settings.oauth.certificate_authorities.is_some() {
        return Err(wrong_value("oauth.certificate_authorities: the file contains no certificate"));
    }
    view_pair(&config.settings.toll)?;
    Ok(())
}

/// Prints the groups that rules of apps name and that do not exist. Reads the database only if a rule names a group,
/// and never creates it.
async fn groups(config: &Config) -> Result<(), Failure> {
    if config.has_no_database_file() || config.apps.iter().all(|app| app.groups.is_empty()) {
        return Ok(());
    }
    let store = super::store::open(config).await?;
    for (app, group) in profiles::unknown_groups(&*store, &config.apps).await? {
        println!(
            "The rules of the app {app} name the group {group}, which does not exist: postern group add \"{group}\"."
        );
    }
    Ok(())
}

/// Prints the passkeys and clients of the database that do not work with these settings. `postern doctor` reports a
/// database that cannot be read.
async fn stored(config: &Config) -> Result<(), Failure> {
    let url = config.database_url();
    match timeout(PATIENCE, store::schema_state(&url)).await {
        Ok(Ok(schema)) if schema == store::SchemaState::default() => {}
        _ => return Ok(()),
    }
    let store = super::store::open(config).await?;
    for (host, count) in store.passkey_hosts().await? {
        if Some(host.as_str()) != config.relying_party() {
            let passkeys =
                if count == 1 { "1 passkey that was".to_owned() } else { format!("{count} passkeys that were") };
            println!(
                "With this public URL, {passkeys} made for the host {host} cannot sign in. Keep that host, or have the \
                 owners sign in with their passwords and add new passkeys."
            );
        }
    }
    for (id, problem) in oauth_clients::unusable(config, &store.clients().await?) {
        println!("The client {id} of the database does not work with these settings: {problem}.");
    }
    store.close().await;
    Ok(())
}
