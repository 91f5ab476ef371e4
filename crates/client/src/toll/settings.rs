//! What a person decided once.

use crate::{Result, Storage};
use serde::{Deserialize, Serialize};
use wire::toll::Piconero;

const FILE: &str = "toll.json";

/// Kept in the folder of [`Storage`]; what a command line says comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The most that is paid unasked, for one bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pay: Option<Piconero>,
    /// Address of the person's monero-wallet-rpc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<String>,
}

impl Settings {
    /// # Errors
    /// The file cannot be read, or others can read it.
    pub fn load(storage: &Storage) -> Result<Self> {
        Ok(storage.read(FILE)?.unwrap_or_default())
    }

    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, storage: &Storage) -> Result<()> {
        storage.write_file(FILE, self)
    }
}
