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
use zeroize::Zeroizing;

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
    let keys = passphrase.map(|_| key_encryption::read(config)).transpose()?;
    let draft = Draft::beside(file)?;
    if !store.copy_to(draft.path()).await? {
        return Err(Error::Postgres);
    }
    let sealed_key = match passphrase.zip(keys) {
        Some((passphrase, keys)) => Some(passphrase.seal(entropy, with_newer(keys, config)?.as_bytes())?),
        None => None,
    };
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

/// The keys from before the copy was made, and what was put beside or in place of them meanwhile: between
/// them they open all of it.
fn with_newer(mut keys: Vec<Zeroizing<String>>, config: &Config) -> Result<Zeroizing<String>, Error> {
    for newer in key_encryption::read(config)? {
        if !keys.contains(&newer) {
            keys.push(newer);
        }
    }
    let mut text = Zeroizing::new(String::new());
    for key in &keys {
        text.push_str(key);
        text.push('\n');
    }
    Ok(text)
}
