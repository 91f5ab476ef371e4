//! `postern config check|print`

use super::{Failure, Outcome};
use crate::config::{Config, Origins, effective};
use crate::flows::{oauth_clients, profiles};
use clap::Subcommand;
use std::time::Duration;
use tokio::time::timeout;

/// Time limit for reading the database.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the settings; exit code 2 and the location if one is invalid
    Check,
    /// Print every setting with its value and source, without passwords
    Print,
}

/// Runs the command. Invalid settings were already reported.
pub(super) async fn run(config: Config, origins: &Origins, command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Check => {
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
