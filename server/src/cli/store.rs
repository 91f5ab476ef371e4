//! Opens the store for commands, also while a server runs.

use super::{Failure, data_folder};
use crate::backup;
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::key_encryption::KeyEncryptionKey;
use std::sync::Arc;
use store::Store;

/// A database that cannot be opened, with its URL.
#[derive(Debug, thiserror::Error)]
#[error("{name}")]
struct CannotOpen {
    name: String,
    source: store::Error,
}

/// Opens the store for a command. Creates a new database, and leaves one of an earlier version alone: nodes of that
/// version may be running, and could not use the changed tables.
pub async fn open(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    backup::check_truncated(config)?;
    // A file that does not exist is an error here, and is created below.
    if let Ok(schema) = store::schema_state(&config.database_url()).await
        && !schema.is_new
        && !schema.pending.is_empty()
    {
        return Err("The database is of an earlier version of Postern, and servers of that version may be running. Make a \
                    backup with the earlier version, then start the server of this version, which changes the database; \
                    or use the earlier version of this command. 'postern doctor' lists the changes."
            .into());
    }
    open_or_create(config).await
}

/// Opens the store, and says so if that made a new database: the command may run in a wrong folder.
pub async fn open_or_create(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let is_new = config.has_no_database_file();
    let store = open_for_server(config).await?;
    if let Some(file) = config.sqlite_file().filter(|_| is_new) {
        let file = std::path::absolute(&file).unwrap_or(file);
        eprintln!("There was no database, so this command made an empty one: {}", file.display());
    }
    Ok(store)
}

/// Opens the store and applies pending changes of its tables.
pub async fn open_for_server(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    data_folder(config)?;
    backup::check_truncated(config)?;
    backup::share(config)?;
    let opened = store::open(&config.database_url(), store::StoreOptions::default()).await;
    Ok(opened.map_err(|source| CannotOpen { name: config.database_name(), source })?)
}

/// Loads the key that encrypts values before they are stored.
pub async fn key(actor: &Actor<'_>) -> Result<KeyEncryptionKey, Failure> {
    Ok(KeyEncryptionKey::load(actor.config, actor.store, &SystemEntropy).await?)
}
