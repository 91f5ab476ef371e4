//! The arguments of `postern user`.

use super::import::ImportArgs;
use super::role_name::RoleName;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add an account; asks for the password, or reads a line from standard input
    Add {
        /// The account's name
        name: String,
        /// Role of the new account
        #[arg(long, value_enum, default_value = "user")]
        role: RoleName,
        /// Accept a name that speaks for this site, such as "support"
        #[arg(long)]
        allow_reserved: bool,
    },
    /// List accounts by name
    List {
        /// Only those after this account, to continue a list
        #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
        after: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a password and end every session of the account
    SetPassword {
        /// The account's name
        name: String,
    },
    /// Disable an account and end its sessions
    Disable {
        /// The account's name
        name: String,
    },
    /// Enable a disabled account
    Enable {
        /// The account's name
        name: String,
    },
    /// Make an account an administrator or an ordinary one
    Role {
        /// The account's name
        name: String,
        /// Its new role
        #[arg(value_enum)]
        role: RoleName,
    },
    /// Rename an account
    Rename {
        /// The account's name or id
        account: String,
        /// Its new name
        name: String,
        /// Accept a name that speaks for this site, such as "support"
        #[arg(long)]
        allow_reserved: bool,
    },
    /// Set an account's display name, e-mail address or groups
    Set {
        /// The account's name or id
        account: String,
        /// For apps and people; "" removes it
        #[arg(long)]
        display_name: Option<String>,
        /// An address that you vouch for; "" removes it
        #[arg(long)]
        email: Option<String>,
        /// Exactly these groups, separated by commas; "" for none
        #[arg(long)]
        groups: Option<String>,
    },
    /// Show an account
    Show {
        /// The account's name or id
        account: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Import the accounts of a file (CSV, Authelia, lldap): all of them, or none
    Import(ImportArgs),
    /// Print a one-time link for setting a new password
    Reset {
        /// The account's name
        name: String,
        /// Mail the link to the account's address too
        #[arg(long)]
        mail: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the passkeys of an account, or remove one
    Passkeys {
        /// The account's name
        name: String,
        /// The id of a passkey to remove
        #[arg(long, allow_hyphen_values = true, value_name = "ID")]
        remove: Option<String>,
        /// As JSON
        #[arg(long, conflicts_with = "remove")]
        json: bool,
    },
    /// Show which second factors an account has
    Factors {
        /// The account's name
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove the second factors of a person who has lost them, and their recovery codes
    RemoveFactors {
        /// The account's name
        name: String,
    },
    /// Delete an account: its sessions end, and only its id remains in the audit log
    Delete {
        /// The account's name
        name: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}
