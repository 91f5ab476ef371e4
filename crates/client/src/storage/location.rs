//! The storage of a secret, and the storages that may still contain it.

use serde::Serialize;
use std::path::PathBuf;

/// A person's choice of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageChoice {
    /// The keyring if one answers, otherwise a file.
    Auto,
    Keyring,
    File,
}

/// The chosen storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Keyring,
    File(PathBuf),
}

/// The current storage of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOutcome {
    pub place: Location,
    /// Secrets that an earlier storage still contains.
    pub left: Option<KeyringItem>,
}

/// An item that could not be removed from the keyring, by the names that keyring programs show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyringItem {
    pub service: String,
    pub account: String,
}

impl std::fmt::Display for KeyringItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service, account } = self;
        write!(f, "the keyring could not be reached: its item {service:?} of {account:?} may still hold old secrets")
    }
}
