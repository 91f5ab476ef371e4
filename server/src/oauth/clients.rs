//! The clients in memory: those of the settings file, and those of the database.

use crate::config::Config;
use oidc::{Client, ClientSettings};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use store::oauth::StoredClient;

/// Read after each change, as the allowlist. A client of the settings file hides one with the same id.
#[derive(Debug, Default)]
pub struct Clients {
    configured: BTreeMap<String, Arc<Client>>,
    stored: RwLock<BTreeMap<String, Arc<Client>>>,
    /// Locked during a read, so that an older result never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
}

impl Clients {
    pub fn new(config: &Config) -> Self {
        let configured = config.clients.iter().map(|client| (client.id().to_owned(), Arc::new(client.clone())));
        Self { configured: configured.collect(), ..Self::default() }
    }

    /// Reads the clients of the database.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reload(&self, store: &dyn Store) -> store::Result<()> {
        let _reading = self.reading.lock().await;
        let mut clients = BTreeMap::new();
        for row in store.clients().await? {
            match read(&row) {
                Ok(client) => {
                    clients.insert(row.id.clone(), Arc::new(client));
                }
                Err(problem) => tracing::error!(client = %row.id, %problem, "a stored client cannot be used"),
            }
        }
        *self.stored.write() = clients;
        Ok(())
    }

    pub fn find(&self, id: &str) -> Option<Arc<Client>> {
        self.configured.get(id).cloned().or_else(|| self.stored.read().get(id).cloned())
    }

    /// Returns all clients, by id.
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all = self.stored.read().clone();
        all.extend(self.configured.clone());
        all.into_values().collect()
    }
}

/// Reads a stored client.
///
/// # Errors
/// The reason, as a sentence part.
pub fn read(row: &StoredClient) -> Result<Client, String> {
    let settings: ClientSettings = serde_json::from_str(&row.registration).map_err(|error| error.to_string())?;
    Client::new(settings, &row.secrets, false).map_err(|error| error.to_string())
}
