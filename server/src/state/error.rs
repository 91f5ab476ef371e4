//! The failures of a start.

use crate::key_encryption::KeyEncryptionError;
use crate::keyring::KeyringError;
use crate::mailer::MailerError;
use crate::passwords::HashError;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    KeyEncryption(#[from] KeyEncryptionError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Mailer(#[from] MailerError),
    #[error(transparent)]
    Passwords(#[from] HashError),
}
