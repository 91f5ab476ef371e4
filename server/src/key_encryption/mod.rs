//! The key-encryption key: what keeps a stolen database from being more than names and hashes.
//!
//! 32 bytes in a file of its own (mode 0600), apart from the database, or in the environment.

use crate::config::Config;
use crate::entropy::Entropy;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use domain::encoding::{base64url, from_base64url};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The environment variable that stands for the file.
pub const VARIABLE: &str = "POSTERN_KEY_ENCRYPTION_KEY";

/// Encrypts private keys before they reach the store.
pub struct KeyEncryptionKey(LessSafeKey);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {problem}")]
    File { path: PathBuf, problem: String },
    #[error("{VARIABLE} is not 32 bytes in base64url")]
    Variable,
    #[error("a key in the database was not encrypted with this key-encryption key")]
    WrongKey,
}

impl KeyEncryptionKey {
    /// From the environment, else from the file, which is made if it is not there.
    ///
    /// # Errors
    /// The file can't be read or made, is open to others, or has something else in it.
    pub fn load(config: &Config, entropy: &dyn Entropy) -> Result<Self, Error> {
        let path = config.key_encryption_key_file();
        if std::env::var_os(VARIABLE).is_none() && !path.exists() {
            create(&path, entropy).map_err(|error| Error::File { path, problem: error.to_string() })?;
        }
        Self::parse(&read(config)?).ok_or(Error::Variable)
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(from_base64url(text.trim())?);
        Self::new(&bytes)
    }

    /// `None` unless `bytes` are 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?)))
    }

    /// Encrypts; `place` names the row and must be the same for [`Self::open`].
    ///
    /// # Errors
    /// Never for the sizes of keys.
    pub fn seal(&self, entropy: &dyn Entropy, place: &str, secret: &[u8]) -> Result<String, Error> {
        let nonce = entropy.bytes::<NONCE_LEN>();
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .map_err(|_| Error::WrongKey)?;
        Ok(base64url(&[nonce.as_slice(), &sealed].concat()))
    }

    /// # Errors
    /// [`Error::WrongKey`]: another key, another place, or not what was written.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes = from_base64url(sealed).ok_or(Error::WrongKey)?;
        let (nonce, content) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Error::WrongKey)?;
        let mut content = Zeroizing::new(content.to_vec());
        let length = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut content)
            .map_err(|_| Error::WrongKey)?
            .len();
        content.truncate(length);
        Ok(content)
    }
}

/// The key as it is written, from the environment, else from the file.
///
/// # Errors
/// The file can't be read, is open to others, or has something else in it.
pub fn read(config: &Config) -> Result<Zeroizing<String>, Error> {
    if let Ok(text) = std::env::var(VARIABLE) {
        let text = Zeroizing::new(text);
        return if KeyEncryptionKey::parse(&text).is_some() { Ok(text) } else { Err(Error::Variable) };
    }
    let path = config.key_encryption_key_file();
    let fail = |problem: String| Error::File { path: path.clone(), problem };
    let mode = std::fs::metadata(&path).map_err(|error| fail(error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(fail(format!("others may read it (mode {:03o}): chmod 600", mode & 0o777)));
    }
    let text = Zeroizing::new(std::fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?);
    if KeyEncryptionKey::parse(&text).is_none() {
        return Err(fail("is not 32 bytes in base64url".to_owned()));
    }
    Ok(text)
}

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyEncryptionKey(..)")
    }
}

/// Written whole under another name first: a crash leaves no half key behind.
fn create(path: &Path, entropy: &dyn Entropy) -> std::io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let text = Zeroizing::new(entropy.secret());
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    // A hard link fails where the name exists: of two first starts one key wins.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
