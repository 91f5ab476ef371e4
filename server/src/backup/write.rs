//! Makes a backup.

use super::files::{DraftFile, at};
use super::{BackupError, Passphrase, last};
use crate::config::Config;
use crate::entropy::Entropy;
use crate::key_encryption;
use domain::UnixMs;
use std::path::Path;
use store::Store;
use store::copies::{self, BackupNote};
use zeroize::Zeroizing;

/// Writes a snapshot of the database to `file`, with the key-encryption key if a passphrase is given. The copy is read
/// again before it gets its final name.
///
/// # Errors
/// The cause; `file` then does not exist.
pub(crate) async fn write(
    config: &Config,
    store: &dyn Store,
    file: &Path,
    passphrase: Option<&Passphrase>,
    entropy: &dyn Entropy,
    now: UnixMs,
) -> Result<(), BackupError> {
    if file.try_exists().map_err(at(file))? {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let keys = passphrase.map(|_| key_encryption::read(config)).transpose()?;
    let draft = DraftFile::beside(file)?;
    if !store.copy_to(draft.path()).await? {
        return Err(BackupError::Postgres);
    }
    let sealed_key = match passphrase.zip(keys) {
        Some((passphrase, keys)) => Some(passphrase.seal(entropy, with_newer(keys, config)?.as_bytes())?),
        None => None,
    };
    let note = BackupNote { made_at: now, sealed_key };
    copies::annotate(draft.path(), &note).await?;
    let report = copies::inspect(draft.path()).await?.ok_or_else(|| BackupError::NoBackup(file.to_owned()))?;
    if let Some(fault) = report.fault {
        return Err(BackupError::Damaged(fault));
    }
    if report.note.as_ref() != Some(&note) {
        return Err(BackupError::Damaged("it has no time of creation".to_owned()));
    }
    let size = draft.path().metadata().map_err(at(draft.path()))?.len();
    draft.keep_as_new(file)?;
    last::remember(config, now)?;
    tracing::info!(file = %file.display(), size, with_key = passphrase.is_some(), "backed up");
    Ok(())
}

/// Returns the keys from before the copy and those added or replaced since. Together they decrypt the whole copy.
fn with_newer(mut keys: Vec<Zeroizing<String>>, config: &Config) -> Result<Zeroizing<String>, BackupError> {
    for newer in key_encryption::read(config)? {
        if !keys.contains(&newer) {
            keys.push(newer);
        }
    }
    Ok(key_encryption::lines(&keys))
}
