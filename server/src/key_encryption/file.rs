//! The stored key-encryption keys: one on each line of a file, or separated by commas in a variable.

use super::error::VARIABLE;
use super::{Cipher, KeyEncryptionError};
use crate::config::Config;
use crate::entropy::Entropy;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use store::Store;
use zeroize::Zeroizing;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    Variable,
    File(PathBuf),
}

impl KeySource {
    pub fn of(config: &Config) -> Self {
        match std::env::var_os(VARIABLE) {
            Some(_) => Self::Variable,
            None => Self::File(config.key_encryption_key_file()),
        }
    }

    /// Creates the file with one key, if it does not exist and the database has no encrypted value.
    ///
    /// # Errors
    /// [`KeyEncryptionError::Missing`]: the file of an existing database is not there. The file can't be created, or the
    /// store fails.
    pub(super) async fn make_if_missing(
        &self,
        store: &dyn Store,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyEncryptionError> {
        let Self::File(path) = self else { return Ok(()) };
        let exists = || path.try_exists().map_err(|error| failed(path, error));
        if exists()? {
            return Ok(());
        }
        // Another process that starts for the first time writes the file before any value.
        let encrypted = !store.sealed_by_others("", 1).await?.is_empty();
        if exists()? {
            return Ok(());
        }
        if encrypted {
            return Err(KeyEncryptionError::Missing(path.clone()));
        }
        create(path, entropy).map_err(|error| failed(path, error))
    }

    /// Reads the keys in order; at least one, all valid.
    ///
    /// # Errors
    /// It can't be read, others can read it, or its content is invalid.
    pub fn keys(&self) -> Result<Vec<Zeroizing<String>>, KeyEncryptionError> {
        parse(&self.text()?).ok_or_else(|| match self {
            Self::Variable => KeyEncryptionError::Variable,
            Self::File(path) => failed(path, "is not 32 bytes in base64url"),
        })
    }

    fn text(&self) -> Result<Zeroizing<String>, KeyEncryptionError> {
        let path = match self {
            Self::Variable => {
                return std::env::var(VARIABLE).map(Zeroizing::new).map_err(|_| KeyEncryptionError::Variable);
            }
            Self::File(path) => path,
        };
        let mode = fs::metadata(path).map_err(|error| failed(path, error))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(failed(path, format!("other users can read it (mode {:03o}): run chmod 600", mode & 0o777)));
        }
        fs::read_to_string(path).map(Zeroizing::new).map_err(|error| failed(path, error))
    }

    /// Prevents other commands from changing the file until the returned value is dropped.
    ///
    /// # Errors
    /// Another command holds the lock.
    pub fn lock(&self) -> Result<Option<File>, KeyEncryptionError> {
        let Self::File(path) = self else { return Ok(None) };
        let lock = || {
            let folder = File::open(folder(path))?;
            folder.try_lock().map_err(|_| io::Error::other("another command is changing it"))?;
            Ok::<_, io::Error>(folder)
        };
        lock().map(Some).map_err(|error| failed(path, error))
    }

    /// Replaces the file's content by these keys. After a crash it has either the old or the new ones.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, keys: &[Zeroizing<String>]) -> Result<(), KeyEncryptionError> {
        let Self::File(path) = self else { return Err(KeyEncryptionError::Variable) };
        owner_file::write(path, lines(keys).as_bytes()).map_err(|error| failed(path, error))
    }
}

/// Reads the file or the variable.
///
/// # Errors
/// As [`KeySource::keys`].
pub fn read(config: &Config) -> Result<Vec<Zeroizing<String>>, KeyEncryptionError> {
    KeySource::of(config).keys()
}

fn failed(path: &Path, problem: impl ToString) -> KeyEncryptionError {
    KeyEncryptionError::File { path: path.to_owned(), problem: problem.to_string() }
}

fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    // Of two concurrent first starts, one key wins.
    match owner_file::create(path, lines(&[Zeroizing::new(entropy.secret())]).as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Reads keys from the content of a file or variable. `None`: it has no key, or an invalid one.
pub(crate) fn parse(text: &str) -> Option<Vec<Zeroizing<String>>> {
    let keys: Vec<_> = text
        .split([',', '\n'])
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .map(|key| Zeroizing::new(key.to_owned()))
        .collect();
    (!keys.is_empty() && keys.iter().all(|key| Cipher::parse(key).is_some())).then_some(keys)
}

/// Returns the content of a file with these keys.
pub(crate) fn lines(keys: &[Zeroizing<String>]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 64));
    for key in keys {
        text.push_str(key);
        text.push('\n');
    }
    text
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
