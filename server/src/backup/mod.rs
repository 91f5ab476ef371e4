//! Backup of a live database, and restore of a stopped one.

mod error;
mod files;
mod last;
mod lock;
mod restore;
mod reverted_accounts;
mod sealed_key;
mod truncated;
mod write;

pub(crate) use error::BackupError;
pub(crate) use last::last;
pub(crate) use lock::{left_behind, share};
pub(crate) use restore::{RestoreOptions, RestoredBackup, prepare};
pub(crate) use sealed_key::Passphrase;
pub(crate) use truncated::{TruncatedDatabase, check as check_truncated};
pub(crate) use write::write;
