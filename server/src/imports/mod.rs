//! Accounts from elsewhere: files are read, every line is checked, and all accounts are written at once.

mod authelia;
mod check;
mod csv_file;
mod lldap;
mod raw;

pub(crate) use check::{CheckedImport, Existing, ImportAccount, MissingHashes, check};
use raw::ImportError;
pub(crate) use raw::RawAccount;

use std::path::Path;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ImportFormat {
    /// A first line that names the columns, such as username and email
    Csv,
    /// The users file of Authelia (YAML)
    Authelia,
    /// The database of lldap (SQLite), or the JSON files of its bootstrap script
    Lldap,
}

/// Reads all accounts of a file.
///
/// # Errors
/// The file is not of this format.
pub(crate) async fn read(file: &Path, format: ImportFormat) -> Result<Vec<RawAccount>, ImportError> {
    match format {
        ImportFormat::Csv => csv_file::read(&std::fs::read(file)?),
        ImportFormat::Authelia => authelia::read(&std::fs::read_to_string(file)?),
        ImportFormat::Lldap => lldap::read(file).await,
    }
}
