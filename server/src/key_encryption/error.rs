use super::VARIABLE;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum KeyEncryptionError {
    #[error("{path}: {problem}")]
    File { path: PathBuf, problem: String },
    #[error("{VARIABLE} is not 32 bytes in base64url")]
    Variable,
    #[error("a key in the database was not encrypted with this key-encryption key")]
    WrongKey,
    #[error("the key-encryption key was replaced: this machine needs the new one, too")]
    Retired,
}
