//! A person's stored defaults.

use crate::{Result, Storage};
use serde::{Deserialize, Serialize};
use wire::toll::Piconero;

const FILE: &str = "toll.json";

/// The defaults, stored in the folder of [`Storage`]. Command-line options override them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TollSettings {
    /// The most to pay without asking, for one offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pay: Option<Piconero>,
    /// URL of the person's monero-wallet-rpc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<String>,
}

impl TollSettings {
    /// Loads the settings.
    ///
    /// # Errors
    /// The file cannot be read, or others can read it.
    pub fn load(storage: &Storage) -> Result<Self> {
        Ok(storage.read(FILE)?.unwrap_or_default())
    }

    /// Saves the settings.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, storage: &Storage) -> Result<()> {
        storage.write_file(FILE, self)
    }
}
