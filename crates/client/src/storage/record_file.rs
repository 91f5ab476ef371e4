//! The file for one server and kind: it says where the secret is, and contains it if there is no keyring.

use super::StoredRecord;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(tag = "storage", rename_all = "snake_case")]
pub(super) enum StoredFileRef<'a, T> {
    Keyring {
        origin: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
    },
    File {
        content: &'a T,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        left_in_keyring: bool,
    },
    Left {
        origin: &'a str,
    },
}

#[derive(Deserialize)]
#[serde(tag = "storage", rename_all = "snake_case")]
pub(super) enum StoredFile<T> {
    Keyring {
        origin: String,
        /// [`StoredRecord::name`], for use when the secret cannot be read.
        #[serde(default)]
        name: Option<String>,
    },
    File {
        #[serde(alias = "profile")]
        content: T,
        /// Whether an old item could not be removed from the keyring.
        #[serde(default)]
        left_in_keyring: bool,
    },
    /// Nothing is stored, but an old item could not be removed from the keyring.
    Left { origin: String },
}

impl<T: StoredRecord> StoredFile<T> {
    pub(super) fn origin(&self) -> &str {
        match self {
            Self::Keyring { origin, .. } | Self::Left { origin } => origin,
            Self::File { content, .. } => content.origin(),
        }
    }

    /// Whether the keyring has an item, as far as known.
    pub(super) fn is_in_keyring(&self) -> bool {
        matches!(self, Self::Keyring { .. } | Self::File { left_in_keyring: true, .. } | Self::Left { .. })
    }
}
