//! The key-encryption key: what keeps a stolen database from being more than names and hashes.
//!
//! 32 bytes in a file of its own (mode 0600), apart from the database, or in the environment. While one is
//! being replaced by another there are two: what either sealed opens, and the one that stays seals.

mod cipher;
mod error;
mod file;
mod keys;

pub use cipher::Cipher;
pub use error::Error;
pub use file::{Source, VARIABLE, read};
pub use keys::KeyEncryptionKey;
