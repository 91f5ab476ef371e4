//! What can be typed.

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use client::Choice;
use std::path::PathBuf;
use wire::toll::Piconero;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: something broke
  2    usage: the command line makes no sense
  3    not signed in, or the session has ended: postern-client login
  4    refused: the server says no
  5    not reachable: no server answers, or its answer broke off
  6    come back later: the server says how long to wait
  7    not paid: it costs more than --max-pay, and nobody agreed
  130  interrupted with Ctrl-C";

/// Postern from a terminal: sign in, look after sessions and keys, talk to services
#[derive(Debug, Parser)]
#[command(name = "postern-client", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Args {
    /// The address of the server; without it, that of the last login
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Where the time server listens; without it, where the portal says
    #[arg(long, global = true, alias = "address", value_name = "HOST:PORT")]
    pub time_server: Option<String>,
    /// Answers and errors as JSON, one value on a line
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in; at a terminal the menu opens
    Login(Login),
    /// Choose from a menu
    Menu,
    /// Your keys for talking in private to services
    Keys {
        #[command(subcommand)]
        what: Keys,
    },
    /// Ask the time server, in private
    Time(Time),
    /// Where you are signed in
    Sessions {
        #[command(subcommand)]
        what: Option<Sessions>,
    },
    /// Sign out, here and on the server
    Logout {
        /// Forget the session here and leave it alive on a server that cannot be reached
        #[arg(long)]
        here: bool,
    },
    /// Who you are, where, and where the session is kept
    Whoami,
    /// Fetch a URL; paths of the portal's own API with your token, others paid for where they ask for it
    Get(Get),
    /// What was paid at gates, and what may be paid unasked
    Toll {
        #[command(subcommand)]
        what: Option<Toll>,
    },
    /// Print completions for a shell
    Completions { shell: Shell },
    /// Write manual pages into a folder
    Man { folder: PathBuf },
}

#[derive(Debug, clap::Args)]
pub struct Login {
    /// Your name; asked for where it is missing
    pub name: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Where the session is kept
    #[arg(long, value_enum, default_value = "auto")]
    pub storage: StorageName,
    /// How many seconds to wait where the server says to wait
    #[arg(long, default_value_t = 90, value_name = "SECONDS")]
    pub wait: u64,
    /// Open no menu
    #[arg(long)]
    pub no_menu: bool,
    /// Take a server without TLS that is not on this machine: whoever is in between can read along
    #[arg(long)]
    pub allow_insecure_http: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum StorageName {
    /// The keyring if there is one, else a file
    Auto,
    Keyring,
    /// A file that only you can read
    File,
}

impl From<StorageName> for Choice {
    fn from(name: StorageName) -> Self {
        match name {
            StorageName::Auto => Self::Auto,
            StorageName::Keyring => Self::Keyring,
            StorageName::File => Self::File,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// The versions and their state
    Show,
    /// Make a new version; the one before serves on for a while
    Rotate,
    /// End a version at once, and what runs under it within a moment
    Revoke {
        version: u32,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
pub struct Time {
    /// Ask each second until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// End one of them
    End {
        // Base64url: one in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct Get {
    /// A URL, or a path on the server
    pub url: String,
    /// Pay up to this without asking, the network's fee aside; without it, what `toll set` says
    #[arg(long, value_name = "XMR", value_parser = amount)]
    pub max_pay: Option<Piconero>,
    /// The address of your monero-wallet-rpc; without it, what `toll set` says
    #[arg(long, value_name = "URL")]
    pub wallet: Option<String>,
    /// Say what would be paid, and pay nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How many seconds to wait for a payment to be taken; it is kept after that
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    pub wait: u64,
    /// Where tokens are kept
    #[arg(long, value_enum, default_value = "auto")]
    pub storage: StorageName,
    /// Write the answer to a file, which appears when all of it is there
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How many seconds without a byte until the connection counts as broken, and the rest is asked for
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub silence: u64,
}

#[derive(Debug, Subcommand)]
pub enum Toll {
    /// Change what `get` does where nothing else is said
    Set {
        /// Pay up to this without asking, the network's fee aside; 0 always asks
        #[arg(long, value_name = "XMR", value_parser = amount)]
        max_pay: Option<Piconero>,
        /// The address of your monero-wallet-rpc
        #[arg(long, value_name = "URL")]
        wallet: Option<String>,
    },
    /// Forget a payment or a token; what was paid for it is lost
    Forget {
        /// The gate, as `toll` lists it
        gate: String,
        /// The transaction
        #[arg(allow_hyphen_values = true)]
        txid: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

fn amount(text: &str) -> Result<Piconero, tpat::amount::NotAnAmount> {
    tpat::amount::parse_xmr(text).map(Piconero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn an_id_may_begin_with_a_hyphen() {
        // Nothing of these is drawn at random; a mistyped flag should be reported as one. Names work behind `--`.
        let refusing = ["--server", "--time-server", "login <name>", "get <url>", "get --wallet", "toll set --wallet"];
        let refusing = [&refusing[..], &["toll forget <gate>"]].concat();
        assert_eq!(testkit::refusing_hyphens(&Args::command()), refusing);
    }
}
