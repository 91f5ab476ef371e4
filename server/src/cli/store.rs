//! Opens the store for commands, beside a running server.

use super::{Failure, data_folder};
use crate::config::Config;
use std::sync::Arc;
use store::Store;

pub async fn open(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    data_folder(config)?;
    Ok(store::open(&config.database_url(), store::StoreOptions::default()).await?)
}
