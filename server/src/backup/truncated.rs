//! An empty database file beside the files of an earlier installation.

use super::files::with_ending;
use super::last;
use crate::config::Config;
use std::fs::metadata;
use std::path::{Path, PathBuf};

/// An empty database that was not empty before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is empty, but {} shows that Postern has used this database before: it may have been truncated, for example by a \
     full disk. Restore a backup with 'postern restore --force FILE'. To begin a new installation instead, remove the \
     empty file",
    .database.display(),
    .sign.display()
)]
pub(crate) struct TruncatedDatabase {
    database: PathBuf,
    sign: PathBuf,
}

/// Refuses an empty database file if other files show that it had content. A new installation in its place would hide
/// the loss, and SQLite would delete the journal, which may have the newest rows.
///
/// # Errors
/// [`TruncatedDatabase`]
pub(crate) fn check(config: &Config) -> Result<(), TruncatedDatabase> {
    let Some(database) = config.sqlite_file().filter(|file| length(file) == Some(0)) else { return Ok(()) };
    let journal = with_ending(&database, "-wal");
    let key = config.key_encryption_key_file();
    let signs = [(journal, 1), (key, 0), (last::path(config), 0)];
    // The key is made after the tables, so a first start that was killed before leaves no sign.
    match signs.into_iter().find(|(file, least)| length(file).is_some_and(|length| length >= *least)) {
        Some((sign, _)) => Err(TruncatedDatabase { database, sign }),
        None => Ok(()),
    }
}

fn length(file: &Path) -> Option<u64> {
    metadata(file).ok().filter(std::fs::Metadata::is_file).map(|found| found.len())
}
