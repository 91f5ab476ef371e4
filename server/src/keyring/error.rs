use crate::key_encryption;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    KeyEncryption(#[from] key_encryption::Error),
    #[error("the {0} key could not be made")]
    Make(&'static str),
    #[error("the {kind} key {kid} in the database is not readable")]
    Read { kind: &'static str, kid: String },
    #[error("there is no {0} key that could be used")]
    None(&'static str),
}
