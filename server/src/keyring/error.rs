use crate::key_encryption;

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    KeyEncryption(#[from] key_encryption::KeyEncryptionError),
    #[error("the {0} key could not be made")]
    Make(&'static str),
    #[error("the {kind} key {kid} in the database cannot be decrypted")]
    Read { kind: &'static str, kid: String },
    #[error("no usable {0} key exists")]
    None(&'static str),
}
