//! Opens the store for commands, beside a running server.

use super::{Failure, data_folder};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::key_encryption::KeyEncryptionKey;
use std::sync::Arc;
use store::Store;

pub async fn open(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    data_folder(config)?;
    Ok(store::open(&config.database_url(), store::StoreOptions::default()).await?)
}

/// Loads the key that encrypts values before they are stored.
pub async fn key(actor: &Actor<'_>) -> Result<KeyEncryptionKey, Failure> {
    let key = KeyEncryptionKey::load(actor.config, &SystemEntropy)?;
    key.reload(actor.store).await?;
    Ok(key)
}
