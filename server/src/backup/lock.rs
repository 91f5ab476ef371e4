//! A lock beside an SQLite database. Servers and commands share it, and a restore holds it alone.

use super::BackupError;
use super::files::{at, with_ending};
use crate::config::Config;
use parking_lot::Mutex;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The locks of this process, which end with it.
static SHARED: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Takes a share of the lock until this process ends, so that no restore replaces the database under it. Removes what a
/// killed restore left, if nothing else uses the database. Does nothing for PostgreSQL.
///
/// # Errors
/// A restore is replacing the database.
pub(crate) fn share(config: &Config) -> Result<(), BackupError> {
    let Some(database) = config.sqlite_file() else { return Ok(()) };
    // A folder that cannot be written has no restore either.
    let Ok(file) = open(&database) else { return Ok(()) };
    if !left_behind(&database).is_empty() && file.try_lock().is_ok() {
        clean(&database);
    }
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(BackupError::Restoring(database)),
        _ => {
            SHARED.lock().push(file);
            Ok(())
        }
    }
}

/// Takes the whole lock until the value is dropped, and removes what a killed restore left.
///
/// # Errors
/// A server, another command or another restore has a share.
pub(super) fn alone(database: &Path) -> Result<File, BackupError> {
    let file = open(database)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse(database.to_owned())),
        Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => Err(at(database)(error)),
        Err(TryLockError::Error(_)) => Ok(file),
        Ok(()) => {
            clean(database);
            Ok(file)
        }
    }
}

/// Returns the files of a restore that was killed, or that runs.
pub(crate) fn left_behind(database: &Path) -> Vec<PathBuf> {
    owner_file::leftovers(database).unwrap_or_default()
}

/// Removes these files. The caller holds the whole lock, so no restore needs them. `postern doctor` names those that
/// cannot be removed.
fn clean(database: &Path) {
    for file in left_behind(database) {
        match std::fs::remove_file(&file) {
            Ok(()) => tracing::info!(file = %file.display(), "removed a file of an interrupted restore"),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "cannot remove a file of an interrupted restore");
            }
        }
    }
}

fn open(database: &Path) -> Result<File, BackupError> {
    let lock = with_ending(database, ".lock");
    OpenOptions::new().create(true).append(true).mode(0o600).open(&lock).map_err(at(&lock))
}
