//! The real service in this process, on a runtime of its own, as `postern serve` builds it.

use crate::machine;
use crate::visitor::{NAME, PASSWORD, ServiceAddress};
use anyhow::{Context, Result, ensure};
use domain::account::{AccountName, Role};
use domain::ids::UserId;
use server::clock::{Clock, SystemClock};
use server::config::{Config, Settings};
use server::connections::{self, HttpService, MainListener};
use server::entropy::{Entropy, SystemEntropy};
use server::site::SiteFiles;
use server::state::AppState;
use server::{jobs, router};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use store::audit::{AuditEntry, AuditEvent};
use store::users::{AddUserOutcome, NewUser, PasswordHash};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use zeroize::Zeroizing;

pub(crate) struct Service {
    pub state: AppState,
    pub place: ServiceAddress,
    pub runtime: Runtime,
    stop: watch::Sender<bool>,
}

impl Service {
    /// Starts with a new database in `folder` and one account in it.
    pub(crate) fn start(folder: &Path, threads: usize, adjust: impl FnOnce(&mut Settings)) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
        let (stop, stopped) = watch::channel(false);
        let (state, place) = runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            let mut settings = Settings {
                data_dir: folder.to_owned(),
                public_url: format!("http://localhost:{}", address.port()),
                ..Settings::default()
            };
            adjust(&mut settings);
            let state = load(Config::new(settings)?).await?;
            add_account(&state).await?;
            tokio::spawn(jobs::run(state.clone(), stopped.clone()));
            tokio::spawn(connections::serve(
                listener,
                router::router(&state),
                MainListener::new(&state.config, None),
                stopped,
            ));
            let origin = state.config.origin.clone();
            anyhow::Ok((state, ServiceAddress { address, origin }))
        })?;
        Ok(Self { state, place, runtime, stop })
    }

    /// Returns the number of workers: one for each core, at least two, as `postern serve` has.
    pub(crate) fn workers() -> usize {
        machine::cores().clamp(2, 8)
    }

    /// Adds accounts until there are `users`.
    pub(crate) fn add_accounts(&self, users: u32) -> Result<()> {
        self.runtime.block_on(fill(self.state.clone(), users))
    }

    /// Serves another service next to it, in the same way.
    pub(crate) fn beside(&self, service: impl HttpService) -> Result<u16> {
        self.runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let port = listener.local_addr()?.port();
            tokio::spawn(connections::serve(
                listener,
                service,
                MainListener::new(&self.state.config, None),
                self.stop.subscribe(),
            ));
            Ok(port)
        })
    }

    /// Returns a second state on the same database, with caches of its own. It trusts no proxy, because a ban of this
    /// machine's address does not hold for one.
    pub(crate) fn second_state(&self) -> Result<AppState> {
        let mut config = self.state.config.clone();
        config.proxies = Arc::default();
        self.runtime.block_on(load(config))
    }

    pub(crate) fn end(self) {
        let _ = self.stop.send(true);
        self.runtime.block_on(self.state.store.close());
    }
}

async fn load(config: Config) -> Result<AppState> {
    let store = store::open(&config.database_url(), store::StoreOptions::default()).await?;
    Ok(AppState::load(config, store, Arc::new(SystemClock), Arc::new(SystemEntropy), SiteFiles::NONE).await?)
}

/// Adds accounts up to `users`, including the one that signs in.
async fn fill(state: AppState, users: u32) -> Result<()> {
    let mut writes = tokio::task::JoinSet::new();
    for number in 1..users {
        let (state, name) = (state.clone(), format!("user{number}"));
        writes.spawn(async move { add(&state, &name, "$argon2id$of nobody".to_owned()).await });
        // As many as the store groups into a few transactions.
        while writes.len() >= 512 {
            writes.join_next().await.context("a write")???;
        }
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    Ok(())
}

async fn add_account(state: &AppState) -> Result<()> {
    let place = state.passwords.permit().context("no hash thread")?;
    let password = Zeroizing::new(PASSWORD.as_bytes().to_vec());
    let hash = state.passwords.hash(&place, password, <dyn Entropy>::bytes(&SystemEntropy)).await?;
    add(state, NAME, hash).await
}

async fn add(state: &AppState, name: &str, hash: String) -> Result<()> {
    let (id, now) = (UserId::from(state.ulid()), SystemClock.now());
    let audit = AuditEntry {
        user: Some(id.clone()),
        address: "-".to_owned(),
        device: "bench".to_owned(),
        ..AuditEntry::new(state.ulid(), now, AuditEvent::UserAdded)
    };
    let user = NewUser {
        key: server::user_keys::make(&state.key_encryption, &SystemEntropy, &id, 1)?,
        id,
        name: AccountName::parse(name)?,
        password_hash: PasswordHash(hash),
        role: Role::User,
        now,
        only_first: false,
        invitation: None,
        audit,
        session: None,
        attempt: None,
    };
    ensure!(state.store.add_user(&user).await? == AddUserOutcome::Added, "the account was not added");
    Ok(())
}
