//! Restores a backup; everything is checked before anything is replaced.

use super::files::{DraftFile, JOURNALS, at, with_ending};
use super::lock;
use super::reverted_accounts::{RevertedAccounts, compare};
use super::{BackupError, Passphrase};
use crate::config::Config;
use crate::key_encryption::{Cipher, KeySource, lines, parse};
use domain::UnixMs;
use std::fs::File;
use std::path::{Path, PathBuf};
use store::copies::{self, Settled};
use store::replaced::{self, Difference, RestoredCodes, RestoredKeys};
use zeroize::Zeroizing;

/// A checked backup, not yet in place.
#[derive(Debug)]
pub(crate) struct PreparedRestore {
    database: DraftFile,
    target: PathBuf,
    sealed_key: Option<String>,
    restored: RestoredBackup,
    /// Whether there is a database to take keys from.
    is_known: bool,
    now: UnixMs,
    /// No server starts and no other command runs until the database is in place.
    _lock: File,
}

/// The contents of a backup, as restored.
#[derive(Debug, Clone)]
pub(crate) struct RestoredBackup {
    /// When the backup was made, if it says so.
    pub made_at: Option<UnixMs>,
    pub accounts: usize,
    pub settled: Settled,
    /// Whether sessions that were ended since the backup are known.
    pub are_sessions_compared: bool,
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
    let lock = lock::alone(&target)?;
    let exists = target.try_exists().map_err(at(&target))?;
    if exists {
        if !options.force {
            return Err(BackupError::NeedsForce(target));
        }
        if copies::is_in_use(&target).await {
            return Err(BackupError::InUse(target));
        }
    }
    let mut database = DraftFile::beside(&target)?;
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
    let kept = match known {
        // The other database may be of another version. Then nothing says which sessions were ended.
        Some(known) if options.keep_sessions => {
            replaced::keep_live_sessions(database.path(), known, options.now).await.ok()
        }
        _ => None,
    };
    let differences = match known {
        Some(known) => replaced::differences(database.path(), known, options.now).await.ok(),
        None => None,
    };
    let settled = Settled { sessions: kept.unwrap_or(settled.sessions), ..settled };
    let is_known = known.is_some();
    let restored = RestoredBackup {
        are_sessions_compared: kept.is_some(),
        made_at: report.note.as_ref().map(|note| note.made_at),
        accounts: accounts.len(),
        settled,
        recovery_codes,
        differences,
        reverted: replaced.map(|replaced| compare(&accounts, &replaced)),
    };
    let sealed_key = report.note.and_then(|note| note.sealed_key);
    Ok(PreparedRestore { database, target, sealed_key, restored, is_known, now: options.now, _lock: lock })
}

impl PreparedRestore {
    pub(crate) fn has_key(&self) -> bool {
        self.sealed_key.is_some()
    }

    pub(crate) fn restored(&self) -> &RestoredBackup {
        &self.restored
    }

    /// Puts the database into place, and the key-encryption key if a passphrase decrypts it. The keys of this machine
    /// stay in use, and those of the backup decrypt its values.
    ///
    /// # Errors
    /// The passphrase is wrong, another key exists and must not be replaced, or no key decrypts the values of the backup.
    /// Then nothing is replaced.
    pub(crate) async fn finish(
        self,
        config: &Config,
        passphrase: Option<&Passphrase>,
        force: bool,
    ) -> Result<RestoredKeys, BackupError> {
        let source = KeySource::of(config);
        // A file that cannot be used stays an error, because its keys would be lost.
        let present = match &source {
            KeySource::File(file) if !file.try_exists().map_err(at(file))? => None,
            _ => Some(source.keys()?),
        };
        let mut added = Vec::new();
        if let (Some(sealed), Some(passphrase), KeySource::File(file)) = (&self.sealed_key, passphrase, &source) {
            let of_backup = passphrase.open(sealed)?;
            let of_backup = std::str::from_utf8(&of_backup).ok().and_then(parse).ok_or(BackupError::WrongPassphrase)?;
            if file.try_exists().map_err(at(file))? && present.as_ref() != Some(&of_backup) && !force {
                return Err(BackupError::NeedsForce(file.clone()));
            }
            added = of_backup;
            added.retain(|key| !present.iter().flatten().any(|there| there == key));
        }
        // As during a replacement of the key: earlier ones decrypt, and the last one is in use.
        let keys: Vec<_> = added.iter().chain(present.iter().flatten()).cloned().collect();
        let names = names(&keys);
        let known = self.is_known.then_some(self.target.as_path());
        let kept = replaced::keep_server_keys(self.database.path(), known, &names).await?;
        // Without any key, the operator puts it there before the server starts.
        if !names.is_empty() && copies::sealers(self.database.path()).await?.iter().any(|one| !names.contains(one)) {
            return Err(BackupError::LacksKey(match source {
                KeySource::Variable => crate::key_encryption::VARIABLE.to_owned(),
                KeySource::File(file) => file.display().to_string(),
            }));
        }
        if present.is_some() {
            copies::retire_sealers(self.database.path(), &self::names(&added), self.now).await?;
        }
        if let KeySource::File(file) = &source
            && !added.is_empty()
        {
            owner_file::write(file, lines(&keys).as_bytes()).map_err(at(file))?;
        }
        self.replace()?;
        Ok(kept)
    }

    fn replace(self) -> Result<(), BackupError> {
        // The old database's journal would be applied to the new one.
        for ending in JOURNALS {
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

/// Returns the names that values under these keys begin with.
fn names(keys: &[Zeroizing<String>]) -> Vec<String> {
    keys.iter().filter_map(|key| Some(Cipher::parse(key)?.name().to_owned())).collect()
}
