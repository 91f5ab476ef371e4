//! Command-line arguments.

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use client::StorageChoice;
use std::path::PathBuf;
use wire::toll::Piconero;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: something broke
  2    usage: invalid arguments
  3    not signed in, or the session has ended: postern-client login
  4    refused by the server
  5    not reachable: no answer, or an incomplete one
  6    try again later: the server asks for a pause
  7    not paid: the price is above --max-pay
  130  interrupted with Ctrl-C";

/// With commit and date, if the build knows them: tools/release.sh.
const VERSION: &str = match option_env!("BUILD_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// The section of the help for the options that every command has.
const GLOBAL: &str = "Global options";

/// Postern in a terminal: sign in, manage sessions and keys, use services
#[derive(Debug, Parser)]
#[command(name = "postern-client", version = VERSION, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Args {
    /// The server's URL (default: the server of the last login)
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL)]
    pub server: Option<String>,
    /// The time server's address (default: as the portal says)
    #[arg(long, global = true, alias = "address", value_name = "HOST:PORT", help_heading = GLOBAL)]
    pub time_server: Option<String>,
    /// Print answers and errors as JSON, one value a line
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in; in a terminal the menu opens
    Login(Login),
    /// Choose from a menu
    Menu,
    /// Show, replace and revoke your user key for services
    Keys {
        #[command(subcommand)]
        what: Keys,
    },
    /// Ask the time server
    Time(Time),
    /// List your sessions, or end one
    Sessions {
        #[command(subcommand)]
        what: Option<Sessions>,
    },
    /// Show what is new on your account: new devices, changed factors, wrong codes
    Notices {
        /// Hide them on this machine afterwards; other devices still show them
        #[arg(long)]
        dismiss: bool,
    },
    /// Sign out, here and on the server
    Logout {
        /// Delete the session on this machine even if the server cannot be reached; it stays valid there
        #[arg(long)]
        here: bool,
    },
    /// Show your name, the server, and where the session is stored
    Whoami,
    /// Fetch a URL: API paths of the portal with your token; pays at gates
    Get(Get),
    /// Payments at gates, and the limit for automatic payments
    Toll {
        #[command(subcommand)]
        what: Option<Toll>,
    },
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

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own name")]
pub(crate) struct Login {
    /// Your name (default: asks for it)
    pub name: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Sign in through the browser: for passkeys; without a display, as with --device
    #[arg(long, conflicts_with_all = ["name", "password_stdin"])]
    pub browser: bool,
    /// Sign in through a browser on another machine, with a code that you enter there
    #[arg(long, conflicts_with_all = ["name", "password_stdin", "browser"])]
    pub device: bool,
    /// Storage for the session
    #[arg(long, value_enum, default_value = "auto")]
    pub storage: StorageName,
    /// Maximum number of seconds to wait when the server says to wait
    #[arg(long, default_value_t = 90, value_name = "SECONDS")]
    pub wait: u64,
    /// Do not open the menu
    #[arg(long)]
    pub no_menu: bool,
    /// Allow a server without TLS that is not on this machine; others on the network can read the traffic
    #[arg(long)]
    pub allow_insecure_http: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum StorageName {
    /// The keyring if available, otherwise a file
    Auto,
    /// The keyring of the desktop
    Keyring,
    /// A file that only you can read
    File,
}

impl From<StorageName> for StorageChoice {
    fn from(name: StorageName) -> Self {
        match name {
            StorageName::Auto => Self::Auto,
            StorageName::Keyring => Self::Keyring,
            StorageName::File => Self::File,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Show the versions and their state
    Show,
    /// Make a new version; the previous one stays valid for the overlap
    Rotate,
    /// End a version at once, and its connections within a moment
    Revoke {
        /// The version in the list of `keys show`
        version: u32,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Time {
    /// Ask every second until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// End one session
    End {
        /// The id in the list of `sessions`
        // Base64url: one in 64 ids begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// A URL, or a path on the server
    pub url: String,
    /// Pay up to this without asking, without the network fee (default: as set by `toll set`)
    #[arg(long, value_name = "XMR", value_parser = amount)]
    pub max_pay: Option<Piconero>,
    /// The URL of your monero-wallet-rpc (default: as set by `toll set`)
    #[arg(long, value_name = "URL")]
    pub wallet: Option<String>,
    /// Print what would be paid, and pay nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Seconds to wait for a payment's confirmations; it is stored after that
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    pub wait: u64,
    /// Storage for tokens
    #[arg(long, value_enum, default_value = "auto")]
    pub storage: StorageName,
    /// Write the answer to a file, which appears when it is complete; - is standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Seconds without a byte after which the connection counts as broken and the rest is requested
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub silence: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Toll {
    /// Change the defaults of `get`
    Set {
        /// Pay up to this without asking, without the network fee; 0 always asks
        #[arg(long, value_name = "XMR", value_parser = amount)]
        max_pay: Option<Piconero>,
        /// The URL of your monero-wallet-rpc
        #[arg(long, value_name = "URL")]
        wallet: Option<String>,
    },
    /// Delete a payment or token; its remaining value is lost
    Forget {
        /// The gate, as `toll` lists it
        gate: String,
        /// The transaction
        #[arg(allow_hyphen_values = true)]
        txid: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

fn amount(text: &str) -> Result<Piconero, tpat::amount::InvalidAmount> {
    tpat::amount::parse_xmr(text).map(Piconero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn an_id_may_begin_with_a_hyphen() {
        // None of these is random, so a mistyped flag should be reported as one. Names work after `--`.
        let refusing = ["--server", "--time-server", "login <name>", "get <url>", "get --wallet", "toll set --wallet"];
        let refusing = [&refusing[..], &["toll forget <gate>"]].concat();
        assert_eq!(testkit::refusing_hyphens(&Args::command()), refusing);
    }
}
