//! The key-encryption key. Without it, a stolen database reveals only names and hashes.
//!
//! It has 32 bytes, in a file of mode 0600 apart from the database, or in the environment. During a replacement there
//! are two keys: both decrypt, and the new one encrypts.

mod cipher;
mod error;
mod file;
mod keys;

pub use cipher::Cipher;
pub use error::{KeyEncryptionError, VARIABLE};
pub use file::{KeySource, read};
pub(crate) use file::{lines, parse};
pub use keys::KeyEncryptionKey;
