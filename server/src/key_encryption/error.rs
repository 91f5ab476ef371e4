use std::path::PathBuf;

/// The environment variable that replaces the file.
pub const VARIABLE: &str = "POSTERN_KEY_ENCRYPTION_KEY";

#[derive(Debug, thiserror::Error)]
pub enum KeyEncryptionError {
    #[error("{path}: {problem}")]
    File { path: PathBuf, problem: String },
    #[error(
        "{0} is missing, and the database has values that are encrypted with its key: put the file back (from another \
         machine of this installation or a copy of the file), or restore a backup that was made with --with-key"
    )]
    Missing(PathBuf),
    #[error("{VARIABLE} is not 32 bytes in base64url")]
    Variable,
    #[error("a key in the database was not encrypted with this key-encryption key")]
    WrongKey,
    #[error("the key-encryption key was replaced: this machine needs the new one, too")]
    Retired,
    #[error(transparent)]
    Store(#[from] store::Error),
}
