//! Where a secret is, and where it still may be.

use serde::Serialize;
use std::path::PathBuf;

/// Which place a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The keyring if one answers, else a file.
    Auto,
    Keyring,
    File,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Keyring,
    File(PathBuf),
}

/// Where something is kept now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub place: Place,
    /// What an earlier place still has of it.
    pub left: Option<Left>,
}

/// An item of the keyring that could not be removed, by the names that the keyring's own programs show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    pub service: String,
    pub account: String,
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service, account } = self;
        write!(f, "the keyring could not be reached: its item {service:?} of {account:?} may still hold old secrets")
    }
}
