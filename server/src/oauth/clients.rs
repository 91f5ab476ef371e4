//! The clients in memory: those of the settings file, and those of the database.

use crate::config::Config;
use oidc::{Client, ClientSettings};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::oauth::StoredClient;

/// Read every second, as the allowlist. A client of the settings file hides one with the same id.
#[derive(Debug, Default)]
pub struct Clients {
    configured: BTreeMap<String, Arc<Client>>,
    stored: RwLock<StoredClients>,
}

#[derive(Debug, Default)]
struct StoredClients {
    rows: Vec<StoredClient>,
    clients: BTreeMap<String, Arc<Client>>,
}

impl Clients {
    pub fn new(config: &Config) -> Self {
        let configured = config.clients.iter().map(|client| (client.id().to_owned(), Arc::new(client.clone())));
        Self { configured: configured.collect(), stored: RwLock::default() }
    }

    /// Replaces the clients of the database.
    pub fn replace(&self, rows: Vec<StoredClient>) {
        if self.stored.read().rows == rows {
            return;
        }
        let mut clients = BTreeMap::new();
        for row in &rows {
            match read(row) {
                Ok(client) => {
                    clients.insert(row.id.clone(), Arc::new(client));
                }
                Err(problem) => tracing::error!(client = %row.id, %problem, "a stored client cannot be used"),
            }
        }
        *self.stored.write() = StoredClients { rows, clients };
    }

    pub fn find(&self, id: &str) -> Option<Arc<Client>> {
        self.configured.get(id).cloned().or_else(|| self.stored.read().clients.get(id).cloned())
    }

    /// Returns all clients, by id.
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all = self.stored.read().clients.clone();
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
