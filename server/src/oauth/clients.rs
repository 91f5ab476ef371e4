//! The clients in memory: those of the settings file, and those of the database.

use super::document_fetches::DocumentFetches;
use super::key_sets::KeySets;
use crate::config::Config;
use crate::error_chain::chain;
use domain::UnixMs;
use oidc::{Client, ClientSettings, ClientSource, Scopes, consent};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use store::oauth::StoredClient;
use store::oauth_registrations::StoredDocument;
use wire::oauth::TERMINAL_CLIENT;

const TERMINAL_WORDS: [&str; 2] = [
    "act as you here: your devices, your keys and, if you are an administrator, the administration",
    "stay signed in until you end it on the page Devices",
];

/// Read after each change, as the allowlist. A client of the settings file hides one with the same id.
#[derive(Debug, Default)]
pub struct Clients {
    configured: BTreeMap<String, Arc<Client>>,
    /// The terminal program, which no list shows.
    terminal: Option<Arc<Client>>,
    stored: RwLock<BTreeMap<String, StoredEntry>>,
    /// The number of reads that found a client changed or removed.
    changes: AtomicU64,
    pub document_fetches: DocumentFetches,
    pub key_sets: KeySets,
    /// Locked during a read, so that an older result never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
}

/// A client of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredEntry {
    client: Arc<Client>,
    /// End of a registration that the client made itself. Its row may be swept later.
    expires_at: Option<UnixMs>,
    /// These tell a client from one with the same registration that was removed.
    created_at: UnixMs,
    changed_at: UnixMs,
}

impl StoredEntry {
    fn at(&self, now: UnixMs) -> Option<Arc<Client>> {
        self.expires_at.is_none_or(|end| now < end).then(|| Arc::clone(&self.client))
    }
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
                    let entry = StoredEntry {
                        client: Arc::new(client),
                        expires_at: row.expires_at,
                        created_at: row.created_at,
                        changed_at: row.changed_at,
                    };
                    clients.insert(row.id.clone(), entry);
                }
                Err(problem) => tracing::error!(client = %row.id, %problem, "a stored client cannot be used"),
            }
        }
        let mut stored = self.stored.write();
        let is_changed = stored.iter().any(|(id, entry)| clients.get(id) != Some(entry));
        *stored = clients;
        drop(stored);
        // After the clients, so that a reader of the new number finds the new clients.
        if is_changed {
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Returns a number that increases after a client was changed or removed. An added client changes no other one.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Returns the end of a registration that the client made itself. `None`: it has none, or no such client is stored.
    pub fn expires_at(&self, id: &str) -> Option<UnixMs> {
        self.stored.read().get(id).and_then(|entry| entry.expires_at)
    }

    /// Reads them again after a change. A failure is logged, because the change is stored, and nodes follow changes anyway.
    pub async fn reload_or_log(&self, store: &dyn Store) {
        if let Err(error) = self.reload(store).await {
            tracing::error!(cause = %chain(&error), "clients could not be read again after a change");
        }
    }

    /// Returns a client that may act. `None`: there is none with this id, or it is disabled or has expired.
    pub fn find(&self, id: &str, now: UnixMs) -> Option<Arc<Client>> {
        self.registered(id, now).filter(|client| !client.settings.disabled)
    }

    /// Returns a client even if it is disabled.
    pub fn registered(&self, id: &str, now: UnixMs) -> Option<Arc<Client>> {
        if id == TERMINAL_CLIENT {
            return self.terminal.clone();
        }
        self.configured.get(id).cloned().or_else(|| self.stored.read().get(id).and_then(|entry| entry.at(now)))
    }

    /// Returns all clients that may act, by id.
    pub fn all(&self, now: UnixMs) -> Vec<Arc<Client>> {
        let mut all: BTreeMap<String, Arc<Client>> = BTreeMap::new();
        all.extend(self.stored.read().iter().filter_map(|(id, entry)| Some((id.clone(), entry.at(now)?))));
        all.extend(self.configured.clone());
        all.into_values().filter(|client| !client.settings.disabled).collect()
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

/// Builds the client of the terminal program. It is public, on a loopback address or a device, with its own key.
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

/// Reads a stored document.
///
/// # Errors
/// The reason, as a sentence part.
pub(crate) fn read_document(row: &StoredDocument) -> Result<Client, String> {
    let mut settings: ClientSettings = serde_json::from_str(&row.registration).map_err(|error| error.to_string())?;
    settings.disabled = row.disabled_at.is_some();
    Client::new(settings, &[], ClientSource::Document).map_err(|error| error.to_string())
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
