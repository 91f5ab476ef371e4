//! The clients in memory: those of the settings file, those of the database, and documents that were read recently.

use crate::config::Config;
use domain::UnixMs;
use oidc::{Client, ClientSettings, ClientSource, Scopes, consent};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use store::oauth::StoredClient;
use wire::oauth::TERMINAL_CLIENT;

const TERMINAL_WORDS: [&str; 2] = [
    "act as you here: your devices, your keys and, if you are an administrator, the administration",
    "stay signed in until you end it on the page Devices",
];

/// Maximum number of documents in memory.
const MOST_DOCUMENTS: usize = 256;

/// Read after each change, as the allowlist. A client of the settings file hides one with the same id.
#[derive(Debug, Default)]
pub struct Clients {
    configured: BTreeMap<String, Arc<Client>>,
    /// The terminal program, which no list shows.
    terminal: Option<Arc<Client>>,
    stored: RwLock<BTreeMap<String, Arc<Client>>>,
    documents: RwLock<BTreeMap<String, CachedDocument>>,
    /// Locked during a read, so that an older result never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
}

/// A document, or the failure of its last fetch.
#[derive(Debug, Clone)]
pub struct CachedDocument {
    pub client: Option<Arc<Client>>,
    /// When it was fetched; the fetch is repeated some time later.
    pub fetched_at: UnixMs,
}

impl Clients {
    pub fn new(config: &Config) -> Self {
        let configured = config.clients.iter().map(|client| (client.id().to_owned(), Arc::new(client.clone())));
        Self { configured: configured.collect(), terminal: terminal().map(Arc::new), ..Self::default() }
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

    /// Returns a client that may act. `None`: there is none with this id, or it is disabled.
    pub fn find(&self, id: &str) -> Option<Arc<Client>> {
        self.registered(id).filter(|client| !client.settings.disabled)
    }

    /// Returns a client even if it is disabled.
    pub fn registered(&self, id: &str) -> Option<Arc<Client>> {
        if id == TERMINAL_CLIENT {
            return self.terminal.clone();
        }
        self.configured.get(id).cloned().or_else(|| self.stored.read().get(id).cloned())
    }

    /// Returns all clients that may act, by id.
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all = self.stored.read().clone();
        all.extend(self.configured.clone());
        all.into_values().filter(|client| !client.settings.disabled).collect()
    }

    pub fn document(&self, id: &str) -> Option<CachedDocument> {
        self.documents.read().get(id).cloned()
    }

    /// Remembers a document. The oldest one makes room.
    pub fn remember(&self, id: &str, document: CachedDocument) {
        let mut documents = self.documents.write();
        if documents.len() >= MOST_DOCUMENTS && !documents.contains_key(id) {
            let oldest = documents.iter().min_by_key(|(_, document)| document.fetched_at).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                documents.remove(&oldest);
            }
        }
        documents.insert(id.to_owned(), document);
    }
}

/// Whether it is the terminal program, whose authorization becomes a session.
pub(crate) fn is_terminal(client: &Client) -> bool {
    client.id() == TERMINAL_CLIENT
}

/// Returns what people are told that the client may do.
pub(crate) fn plain_words(client: &Client, scopes: &Scopes) -> Vec<String> {
    if is_terminal(client) {
        return TERMINAL_WORDS.map(str::to_owned).to_vec();
    }
    consent::plain_words(scopes).into_iter().map(str::to_owned).collect()
}

/// Builds the client of the terminal program: public, on a loopback address or as a device, with a key of its own.
fn terminal() -> Option<Client> {
    let settings = serde_json::json!({
        "id": TERMINAL_CLIENT,
        "name": "Postern in a terminal",
        "redirect_uris": ["http://127.0.0.1/callback", "http://[::1]/callback"],
        "consent": true,
        "scopes": ["openid"],
        "dpop": true,
        "device": true,
    });
    let client = serde_json::from_value::<ClientSettings>(settings).map_err(|error| error.to_string());
    let client = client
        .and_then(|settings| Client::new(settings, &[], ClientSource::Settings).map_err(|error| error.to_string()));
    client.inspect_err(|problem| tracing::error!(%problem, "terminals cannot sign in through a browser")).ok()
}

/// Reads a stored client.
///
/// # Errors
/// The reason, as a sentence part.
pub(crate) fn read(row: &StoredClient) -> Result<Client, String> {
    let settings: ClientSettings = serde_json::from_str(&row.registration).map_err(|error| error.to_string())?;
    let source = ClientSource::parse(&row.source).ok_or_else(|| format!("its source '{}' is unknown", row.source))?;
    Client::new(settings, &row.secrets, source).map_err(|error| error.to_string())
}
