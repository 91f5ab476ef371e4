//! Restores a backup; everything is checked before anything is replaced.

use super::files::{DraftFile, at, with_ending};
use super::reverted_accounts::{RevertedAccounts, compare};
use super::{BackupError, Passphrase};
use crate::config::Config;
use domain::UnixMs;
use std::path::{Path, PathBuf};
use store::copies::{self, Settled};
use store::replaced::{self, Difference, RestoredCodes};

/// A checked backup, not yet in place.
#[derive(Debug)]
pub(crate) struct PreparedRestore {
    database: DraftFile,
    target: PathBuf,
    sealed_key: Option<String>,
    restored: RestoredBackup,
}

/// The contents of a backup, as restored.
#[derive(Debug, Clone)]
pub(crate) struct RestoredBackup {
    /// When the backup was made, if it says so.
    pub made_at: Option<UnixMs>,
    pub accounts: usize,
    pub settled: Settled,
    pub recovery_codes: RestoredCodes,
    /// `None`: there was no database to compare with.
    pub reverted: Option<RevertedAccounts>,
    /// Other differences, as `reverted`. `None`: the other database is of another version.
    pub differences: Option<Vec<(Difference, Vec<String>)>>,
}

/// The options of a restore.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RestoreOptions {
    /// Replace the existing database.
    pub force: bool,
    pub keep_sessions: bool,
    pub now: UnixMs,
}

/// Copies the backup into the folder of the database and checks it.
///
/// # Errors
/// It is damaged, not a backup, or from a newer version; or the database is in use, or exists and must not be replaced.
pub(crate) async fn prepare(
    config: &Config,
    file: &Path,
    options: RestoreOptions,
) -> Result<PreparedRestore, BackupError> {
    let target = config.sqlite_file().ok_or(BackupError::Postgres)?;
    let exists = target.try_exists().map_err(at(&target))?;
    if exists {
        if !options.force {
            return Err(BackupError::NeedsForce(target));
        }
        if copies::is_in_use(&target).await {
            return Err(BackupError::InUse(target));
        }
    }
    let database = DraftFile::beside(&target)?;
    database.copy_from(file)?;
    let no_backup = || BackupError::NoBackup(file.to_owned());
    let report = copies::inspect(database.path()).await.map_err(|_| no_backup())?.ok_or_else(no_backup)?;
    if let Some(fault) = report.fault {
        return Err(BackupError::Damaged(fault));
    }
    if report.is_newer {
        return Err(BackupError::Newer);
    }
    let settled = copies::settle(database.path(), options.keep_sessions, options.now).await?;
    let accounts = copies::accounts(database.path()).await?;
    // A database that cannot be read is also replaced: that may be the reason for restoring.
    let replaced = if exists { copies::accounts(&target).await.ok() } else { None };
    let known = replaced.is_some().then_some(target.as_path());
    let recovery_codes = replaced::carry_over(database.path(), known, options.now).await?;
    let differences = match known {
        Some(known) => replaced::differences(database.path(), known, options.now).await.ok(),
        None => None,
    };
    let restored = RestoredBackup {
        made_at: report.note.as_ref().map(|note| note.made_at),
        accounts: accounts.len(),
        settled,
        recovery_codes,
        differences,
        reverted: replaced.map(|replaced| compare(&accounts, &replaced)),
    };
    Ok(PreparedRestore { database, target, sealed_key: report.note.and_then(|note| note.sealed_key), restored })
}

impl PreparedRestore {
    pub(crate) fn has_key(&self) -> bool {
        self.sealed_key.is_some()
    }

    pub(crate) fn restored(&self) -> &RestoredBackup {
        &self.restored
    }

    /// Puts the database into place, and the key-encryption key if a passphrase decrypts it.
    ///
    /// # Errors
    /// The passphrase is wrong, or another key exists and must not be replaced. Then nothing is replaced.
    pub(crate) fn finish(
        self,
        config: &Config,
        passphrase: Option<&Passphrase>,
        force: bool,
    ) -> Result<(), BackupError> {
        if let (Some(sealed), Some(passphrase)) = (&self.sealed_key, passphrase) {
            let key = passphrase.open(sealed)?;
            let file = config.key_encryption_key_file();
            let is_same = std::fs::read(&file).is_ok_and(|there| there.trim_ascii() == key.trim_ascii());
            if file.try_exists().map_err(at(&file))? && !is_same && !force {
                return Err(BackupError::NeedsForce(file));
            }
            let draft = DraftFile::beside(&file)?;
            draft.fill(&key)?;
            draft.keep_as(&file)?;
        }
        // The old database's journal would be applied to the new one.
        for ending in ["-wal", "-shm"] {
            match std::fs::remove_file(with_ending(&self.target, ending)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(BackupError::File(with_ending(&self.target, ending), error));
                }
                _ => {}
            }
        }
        self.database.keep_as(&self.target)
    }
}
