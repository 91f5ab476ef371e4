//! The command line.
#![expect(clippy::doc_markdown, reason = "what clap prints as help is not Markdown")]

#[macro_use]
mod output;

mod allow;
mod audit;
mod backup;
mod ban;
mod calibrate;
mod client;
mod config;
mod demo;
mod doctor;
mod embedded_time;
mod file_name;
mod firewall;
mod group;
mod health;
mod import;
mod invite;
mod key;
pub mod listen;
mod log_format;
mod mail;
mod manual;
mod migrate;
mod outcome;
mod print;
mod process;
mod role_name;
pub mod serve;
mod service;
mod session;
mod setup;
pub mod store;
pub mod time_server;
pub mod toll;
mod user;
mod user_command;
mod wrong_value;

use crate::config::{ConfigError, Layers, TimeServerSettings};
use crate::site::SiteFiles;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

pub use demo::{Demo, DemoArgs};
pub use outcome::{Failure, Outcome, blocking, data_folder};
pub use output::print_line;

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 the command or a setting is wrong, 3 the named object does not exist";

/// The section of the help for the options that every command has.
const GLOBAL: &str = "Global options";

/// A self-hosted sign-in portal and auth server in one program.
#[derive(Debug, Parser)]
#[command(name = "postern", version, propagate_version = true, after_help = EXIT_CODES)]
struct Cli {
    /// The settings file [default: postern.toml in this folder or in /etc/postern, if one exists]
    #[arg(long, global = true, env = "POSTERN_CONFIG", value_name = "FILE", help_heading = GLOBAL)]
    config: Option<PathBuf>,
    /// Override a setting of file and environment: --set ban.preset=strict
    #[arg(long, global = true, value_name = "SETTING=VALUE", help_heading = GLOBAL)]
    set: Vec<String>,
    /// Folder for data, keys and database [default: data]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = GLOBAL)]
    data_dir: Option<String>,
    /// Default: serve
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the portal
    Serve(serve::ServeArgs),
    /// Print the one-time link that creates the first account
    Setup,
    /// Manage accounts
    #[command(subcommand)]
    User(user_command::UserCommand),
    /// Manage groups of accounts
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Print a one-time link that creates an account
    Invite(invite::InviteArgs),
    /// Test the mail server, and manage the queue of messages
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// List and end sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Manage services that accept tickets
    #[command(subcommand)]
    Service(service::ServiceCommand),
    /// Manage apps that sign people in with OpenID Connect
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// List, impose and lift bans
    #[command(subcommand)]
    Ban(ban::BanCommand),
    /// Manage networks that are never banned
    #[command(subcommand)]
    Allow(allow::AllowCommand),
    /// Manage the server's keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Show the audit log, newest first
    Audit(audit::AuditArgs),
    /// Check or print the settings from file, environment and flags
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Copy the database to a file while the server runs
    Backup(backup::BackupArgs),
    /// Restore a backup while the server is stopped
    Restore(backup::RestoreArgs),
    /// Move an installation from SQLite to PostgreSQL
    Migrate(migrate::MigrateArgs),
    /// Find problems of this installation and say what to do
    Doctor(doctor::DoctorArgs),
    /// Ask the running server whether it is ready; exit code 1 if not
    Health(health::HealthArgs),
    /// Measure password hashing on this machine and suggest settings; changes nothing
    Calibrate(calibrate::CalibrateArgs),
    /// Run a portal, a time server and an app on this machine, with data in ./demo
    Demo(DemoArgs),
    /// Run the time server, a separate program with its own settings
    TimeServer(time_server::TimeServerArgs),
    /// Run and manage the paid gate, a reverse proxy that asks for payment
    #[command(subcommand)]
    Toll(toll::TollCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write manual pages to a folder
    Man {
        /// The folder, which is created
        folder: PathBuf,
    },
}

/// Parses the arguments, runs the command, and prints an error on one line. Exit codes: see [`EXIT_CODES`].
/// `version` is for `--version`.
pub fn main(site: SiteFiles, version: &'static str) -> ExitCode {
    main_with(site, version, None)
}

/// Does the same in the program that has the demo, which runs the demo by default.
pub fn main_with(site: SiteFiles, version: &'static str, demo: Option<Demo>) -> ExitCode {
    let program = Cli::command().version(version);
    let matches = program.clone().get_matches();
    // POSTERN_CONFIG names postern.toml; a flag names the file of its own command.
    let flagged = matches.value_source("config") == Some(ValueSource::CommandLine);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    // These need no settings of the portal.
    match &cli.command {
        Some(Command::TimeServer(args)) => {
            let settings = cli.time_server(args, flagged);
            return exit_code(settings.map_err(Failure::from).and_then(|settings| time_server::run(&settings, args)));
        }
        Some(Command::Health(args)) if args.asks_time_server() => {
            let settings = cli.time_server(&time_server::TimeServerArgs::default(), flagged).map_err(Failure::from);
            return exit_code(settings.and_then(|settings| blocking(health::time_server(settings))));
        }
        Some(Command::Completions { shell }) => return exit_code(manual::completions(program, *shell)),
        Some(Command::Man { folder }) => return exit_code(manual::pages(program, folder)),
        _ => {}
    }
    if demo.is_none() && matches!(cli.command, Some(Command::Demo(_))) {
        return exit_code(demo::become_demo());
    }
    let layers = cli.layers(demo);
    let loaded = layers.and_then(|layers| Ok((layers.load_with_origins()?, layers)));
    let ((config, origins), layers) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("postern: {}", print::printable_lines(&error.to_string()));
            return ExitCode::from(2);
        }
    };
    let usual = || match demo {
        Some(_) => Command::Demo(DemoArgs::default()),
        None => Command::Serve(serve::ServeArgs::default()),
    };
    let command = cli.command.unwrap_or_else(usual);
    // A server does its work without standard output.
    let needs_output = !matches!(command, Command::Serve(_) | Command::Demo(_) | Command::Toll(toll::TollCommand::Run));
    let outcome = match command {
        Command::Serve(_) => serve::run(config, site),
        // If this program has no demo, the program with the demo was started above.
        Command::Demo(args) => demo.map_or(Ok(()), |demo| (demo.run)(config, &args, site)),
        Command::Setup => blocking(setup::run(config)),
        Command::User(command) => blocking(user::run(config, command)),
        Command::Group(command) => blocking(group::run(config, command)),
        Command::Invite(args) => blocking(invite::run(config, args)),
        Command::Mail(command) => blocking(mail::run(config, command)),
        Command::Session(command) => blocking(session::run(config, command)),
        Command::Service(command) => blocking(service::run(config, command)),
        Command::Client(command) => blocking(client::run(config, command)),
        Command::Ban(command) => blocking(ban::run(config, command)),
        Command::Allow(command) => blocking(allow::run(config, command)),
        Command::Key(command) => blocking(key::run(config, command)),
        Command::Audit(command) => blocking(audit::run(config, command)),
        Command::Config(command) => blocking(config::run(config, &origins, &command)),
        Command::Backup(args) => blocking(backup::backup(config, args)),
        Command::Restore(args) => blocking(backup::restore(config, args)),
        Command::Migrate(args) => blocking(migrate::run(config, args)),
        Command::Doctor(args) => blocking(doctor::run(config, args)),
        Command::Health(args) => blocking(health::run(config, args)),
        Command::Calibrate(args) => calibrate::run(&config, &args),
        Command::Toll(command) => toll::run(config, layers, command),
        // Handled above, without the portal's settings.
        Command::TimeServer(_) | Command::Completions { .. } | Command::Man { .. } => Ok(()),
    };
    if needs_output {
        return exit_code(outcome.and_then(|()| output::is_complete()));
    }
    exit_code(outcome)
}

/// Part of the error of the TLS library on a machine without certificate authorities.
const NO_AUTHORITIES: &str = "No CA certificates were loaded";
const INSTALL_AUTHORITIES: &str = "Install the package ca-certificates, or name a file with certificate authorities in the \
                                   environment variable SSL_CERT_FILE.";

fn exit_code(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = print::printable_lines(&crate::error_chain::chain(&*error));
            eprintln!("postern: {text}");
            let no_authorities = text.contains(NO_AUTHORITIES).then_some(INSTALL_AUTHORITIES);
            if let Some(advice) = ::store::advice(&*error).or(no_authorities) {
                eprintln!("{advice}");
            }
            match error {
                error if error.is::<print::NotFound>() => ExitCode::from(3),
                error if error.is::<ConfigError>() || wrong_value::is_wrong_value(&*error) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

impl Cli {
    fn layers(&self, demo: Option<Demo>) -> Result<Layers, ConfigError> {
        let demo = demo.filter(|_| matches!(self.command, None | Some(Command::Demo(_))));
        let mut flags = demo.map_or_else(Vec::new, |demo| (demo.settings)());
        flags.extend(pairs(&self.set)?);
        if let Some(folder) = &self.data_dir {
            flags.push(("data_dir".to_owned(), folder.clone()));
        }
        if let Some(Command::Serve(args)) = &self.command {
            flags.extend(args.settings());
        }
        Ok(Layers { file: self.config.clone(), environment: environment()?, flags })
    }

    fn time_server(
        &self,
        args: &time_server::TimeServerArgs,
        flagged: bool,
    ) -> Result<TimeServerSettings, ConfigError> {
        let mut flags = pairs(&self.set)?;
        if let Some(folder) = &self.data_dir {
            flags.push(("key".to_owned(), format!("{folder}/time-server.key")));
        }
        flags.extend(args.settings());
        TimeServerSettings::load(self.config.as_deref().filter(|_| flagged), &environment()?, &flags)
    }
}

/// Returns the variables that are text. `std::env::vars` panics on others, and prints them.
fn environment() -> Result<Vec<(String, String)>, ConfigError> {
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => variables.push((name, value)),
            (Ok(name), Err(_)) if name.starts_with("POSTERN_") || name == "DATABASE_URL" => {
                return Err(ConfigError::invalid(&name, "is not UTF-8 text"));
            }
            _ => {}
        }
    }
    Ok(variables)
}

/// Reads `--set`. clap does not check it, because its message would quote the value.
fn pairs(set: &[String]) -> Result<Vec<(String, String)>, ConfigError> {
    let pair = |text: &String| {
        let (setting, value) =
            text.split_once('=').ok_or_else(|| ConfigError::invalid("--set", "write SETTING=VALUE"))?;
        Ok((setting.trim().to_owned(), value.trim().to_owned()))
    };
    set.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_id_may_begin_with_a_hyphen() {
        // These are no ids, so a mistyped flag should be reported as one. No new name of an account or a group begins
        // with a hyphen; older ones work after `--`. In a list of names a flag would become a name.
        let words = [
            "--set",
            "--data-dir",
            "serve --listen",
            "serve --public-url",
            "user add <name>",
            "user set-password <name>",
            "user disable <name>",
            "user enable <name>",
            "user role <name>",
            "user rename <account>",
            "user rename <name>",
            "user set <account>",
            "user set --display-name",
            "user set --email",
            "user set --groups",
            "user show <account>",
            "user reset <name>",
            "user passkeys <name>",
            "user factors <name>",
            "user remove-factors <name>",
            "user delete <name>",
            "group add <name>",
            "group rename <group>",
            "group rename <name>",
            "group remove <group>",
            "group members <group>",
            "invite --mail",
            "mail test <address>",
            "session list <names>",
            "session end <names>",
            "client add --name",
            "client add --redirect-uri",
            "client add --post-logout-redirect-uri",
            "client add --backchannel-logout-uri",
            "client add --jwks-uri",
            "client add --url",
            "client add --group",
            "client add --second-factor",
            "client add --preset",
            "client set <id>",
            "client set <changes>",
            "client token --note",
            "client explain <url>",
            "ban list <word>",
            "ban add <address>",
            "ban add --for",
            "ban lift <address>",
            "ban explain <address>",
            "allow add <network>",
            "allow add --for",
            "allow remove <network>",
            "audit --event",
            "audit --outcome",
            "audit --since",
            "migrate --from",
            "migrate --to",
            "time-server --listen",
            "time-server --tcp",
            "time-server --issuer",
            "toll routes --explain",
        ];
        assert_eq!(testkit::refusing_hyphens(&Cli::command()), words);
    }
}
