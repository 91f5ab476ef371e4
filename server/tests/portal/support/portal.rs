//! A whole portal in a temporary folder, with a clock that only moves when a test moves it.

use super::Visitor;
use axum::Router;
use domain::UnixMs;
use domain::account::{AccountName, Role};
use server::clock::{Clock, ManualClock};
use server::config::Config;
use server::entropy::{Entropy, SystemEntropy};
use server::router::router;
use server::site::SiteFiles;
use server::state::AppState;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use store::audit::{AuditEntry, AuditEvent};
use store::users::{AddUserOutcome, NewUser, PasswordHash};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const ORIGIN: &str = "http://localhost:3000";
/// A setting of tests alone, before all sections: this machine counts as the public internet, so that documents may be here.
pub(crate) const PUBLIC_HERE: &str = "public_networks = ['127.0.0.0/8', '::1/128']\n";
const START: UnixMs = UnixMs::from_millis(1_800_000_000_000);

#[derive(Clone)]
pub(crate) struct Portal {
    pub state: AppState,
    pub clock: Arc<ManualClock>,
    pub router: Router,
    folder: Folder,
    settings: String,
}

/// The data folder. A temporary one is removed with the last portal that uses it.
type Folder = Arc<dyn AsRef<Path> + Send + Sync>;

impl Portal {
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// Starts it with settings as in `postern.toml`. Hashes are cheap unless they set something else.
    pub(crate) async fn with(settings: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::load(folder, settings, Arc::new(ManualClock::at(START)), None).await
    }

    /// Starts it with the test's own source of randomness.
    pub(crate) async fn with_entropy(settings: &str, entropy: Arc<dyn Entropy>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(ManualClock::at(START));
        Self::load_with(folder, settings, clock, None, entropy).await
    }

    /// Starts it on an existing folder, or on a store that was opened elsewhere.
    pub(crate) async fn in_folder(folder: &Path, store: Option<Arc<dyn Store>>) -> Self {
        Self::load(Arc::new(folder.to_owned()), "", Arc::new(ManualClock::at(START)), store).await
    }

    /// Starts another with the same store and clock and everything else new, like a restart or another node.
    pub(crate) async fn another(&self) -> Self {
        Self::load(Arc::clone(&self.folder), &self.settings, Arc::clone(&self.clock), None).await
    }

    /// Starts another node, whose clock is ahead by this many milliseconds.
    pub(crate) async fn another_ahead(&self, ms: i64) -> Self {
        let clock = Arc::new(ManualClock::at(self.clock.now() + ms));
        Self::load(Arc::clone(&self.folder), &self.settings, clock, None).await
    }

    /// Starts another node with other settings.
    pub(crate) async fn another_with(&self, settings: &str) -> Self {
        Self::load(Arc::clone(&self.folder), settings, Arc::clone(&self.clock), None).await
    }

    async fn load(folder: Folder, settings: &str, clock: Arc<ManualClock>, store: Option<Arc<dyn Store>>) -> Self {
        Self::load_with(folder, settings, clock, store, Arc::new(SystemEntropy)).await
    }

    async fn load_with(
        folder: Folder,
        settings: &str,
        clock: Arc<ManualClock>,
        store: Option<Arc<dyn Store>>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let config = config((*folder).as_ref(), settings);
        let store = match store {
            Some(store) => store,
            None => store::open(&config.database_url(), store::StoreOptions::default()).await.unwrap(),
        };
        let state = AppState::load(config, store, clock.clone(), entropy, SiteFiles::NONE).await.unwrap();
        let router = Router::new().fallback_service(router(&state));
        Self { state, clock, router, folder, settings: settings.to_owned() }
    }

    /// Returns a person's browser, at an address.
    pub(crate) fn browser(&self, address: &str) -> Visitor {
        Visitor::browser(self, address.parse::<IpAddr>().unwrap())
    }

    /// Returns a program: without cookies and browser headers.
    pub(crate) fn program(&self, address: &str) -> Visitor {
        Visitor::program(self, address.parse::<IpAddr>().unwrap())
    }

    /// Returns a program that binds its tokens to a key.
    pub(crate) fn bound_program(&self, address: &str) -> Visitor {
        Visitor::bound_program(self, address.parse::<IpAddr>().unwrap())
    }

    pub(crate) async fn add_user(&self, name: &str) -> String {
        self.add_user_with(name, self.hash().await).await
    }

    pub(crate) async fn add_administrator(&self, name: &str) -> String {
        self.add(name, self.hash().await, Role::Administrator).await
    }

    /// Adds the administrator `root` and signs in as it.
    pub(crate) async fn administrator(&self) -> Visitor {
        self.add_administrator("root").await;
        self.browser("198.51.100.1").signed_in("root").await
    }

    async fn hash(&self) -> String {
        let permit = self.state.passwords.permit().unwrap();
        self.state.passwords.hash(&permit, PASSWORD.as_bytes().to_vec().into(), [7; 16]).await.unwrap()
    }

    pub(crate) async fn add_user_with(&self, name: &str, hash: String) -> String {
        self.add(name, hash, Role::User).await
    }

    async fn add(&self, name: &str, hash: String, role: Role) -> String {
        let id = self.state.ulid();
        let audit = self.entry(AuditEvent::UserAdded, &id);
        let user = NewUser {
            id: id.clone().into(),
            name: AccountName::parse(name).unwrap(),
            password_hash: PasswordHash(hash),
            role,
            key: server::user_keys::make(&self.state.key_encryption, &SystemEntropy, &id.as_str().into(), 1).unwrap(),
            now: self.clock.now(),
            only_first: false,
            invitation: None,
            audit,
            session: None,
            attempt: None,
        };
        assert_eq!(self.store().add_user(&user).await.unwrap(), AddUserOutcome::Added);
        id
    }

    pub(crate) fn entry(&self, event: AuditEvent, user: &str) -> AuditEntry {
        let entropy: &dyn Entropy = &SystemEntropy;
        AuditEntry {
            user: Some(user.into()),
            address: "-".to_owned(),
            ..AuditEntry::new(entropy.ulid(self.clock.now()), self.clock.now(), event)
        }
    }

    pub(crate) fn clock_now(&self) -> UnixMs {
        self.clock.now()
    }

    /// Returns the file of the store.
    pub(crate) fn database(&self) -> PathBuf {
        PathBuf::from(self.state.config.database_url().trim_start_matches("sqlite:"))
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.state.store
    }

    /// Moves the clock, and lets the node read the changes of other nodes, as it does every second.
    pub(crate) async fn advance(&self, ms: i64) {
        self.clock.advance(ms);
        server::jobs::sync(&self.state).await.unwrap();
    }

    /// Counts the logins with this outcome in the audit trail of a user.
    pub(crate) async fn outcomes(&self, user: &str, outcome: &str) -> usize {
        let entries = self.store().audit_of(&user.into(), 1000).await.unwrap();
        entries.iter().filter(|entry| entry.event == AuditEvent::Login && entry.outcome == outcome).count()
    }
}

fn config(folder: &Path, settings: &str) -> Config {
    let mut table: toml::Table = toml::from_str(settings).unwrap();
    let public = table.remove("public_networks").map(|networks| networks.try_into::<Vec<String>>().unwrap());
    let public = public.unwrap_or_default().iter().map(|network| network.parse().unwrap()).collect();
    table.insert("data_dir".to_owned(), folder.display().to_string().into());
    let password = table.entry("password").or_insert_with(|| toml::Table::new().into()).as_table_mut().unwrap();
    for (name, cheap) in [("memory_kib", 64), ("passes", 1), ("queue", 1024)] {
        password.entry(name).or_insert(cheap.into());
    }
    let mut config = Config::new(table.try_into().unwrap()).unwrap();
    config.public_networks = Arc::new(public);
    config
}
