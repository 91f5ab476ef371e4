//! Making a backup.

use super::files::{Draft, at};
use super::{Error, Passphrase, last};
use crate::config::Config;
use crate::entropy::Entropy;
use crate::key_encryption;
use domain::UnixMs;
use std::path::Path;
use store::Store;
use store::copies::{self, Note};

/// Writes a copy of the database as of one moment to `file`, with the key-encryption key in it if there is
/// a passphrase for that. The copy is read again before it gets its name.
///
/// # Errors
/// What stood in the way; `file` is then not there.
pub async fn write(
    config: &Config,
    store: &dyn Store,
    file: &Path,
    passphrase: Option<&Passphrase>,
    entropy: &dyn Entropy,
    now: UnixMs,
) -> Result<(), Error> {
    if file.exists() {
        return Err(Error::Exists(file.to_owned()));
    }
    let sealed_key = match passphrase {
        Some(passphrase) => Some(passphrase.seal(entropy, key_encryption::read(config)?.as_bytes())?),
        None => None,
    };
    let draft = Draft::beside(file)?;
    if !store.copy_to(draft.path()).await? {
        return Err(Error::Postgres);
    }
    let note = Note { made_at: now, sealed_key };
    copies::annotate(draft.path(), &note).await?;
    let report = copies::inspect(draft.path()).await?.ok_or_else(|| Error::NoBackup(file.to_owned()))?;
    if let Some(fault) = report.fault {
        return Err(Error::Damaged(fault));
    }
    if report.note.as_ref() != Some(&note) {
        return Err(Error::Damaged("it does not say when it was made".to_owned()));
    }
    let size = draft.path().metadata().map_err(at(draft.path()))?.len();
    draft.keep_as_new(file)?;
    last::remember(config, now)?;
    tracing::info!(file = %file.display(), size, with_key = passphrase.is_some(), "backed up");
    Ok(())
}
