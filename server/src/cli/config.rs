//! `postern config check|print`

use crate::config::{Config, Origins, effective};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether the settings stand; exit code 2 and the place of the fault if not
    Check,
    /// Print every setting in force and where it comes from; passwords are not shown
    Print,
}

/// What cannot stand was said before this runs.
pub fn run(config: &Config, origins: &Origins, command: &Command) {
    match command {
        Command::Check => println!("The settings stand: Postern would answer as {}.", config.origin),
        Command::Print => print!("{}", effective(&config.settings, origins)),
    }
}
