//! `postern config check|print`

use crate::config::{Config, Origins, effective};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the settings; exit code 2 and the location if one is invalid
    Check,
    /// Print every setting with its value and source, without passwords
    Print,
}

/// Invalid settings were reported before this runs.
pub fn run(config: &Config, origins: &Origins, command: &ConfigCommand) {
    match command {
        ConfigCommand::Check => {
            println!("Configuration is valid. Public URL: {}.", config.origin);
            match domain::passkey::relying_party(&config.origin) {
                Some(host) => println!("Passkeys work for the host {host} only. They are lost if the host changes."),
                None => println!("Passkeys do not work, because the public URL names an address instead of a host."),
            }
        }
        ConfigCommand::Print => print!("{}", effective(&config.settings, origins)),
    }
}
