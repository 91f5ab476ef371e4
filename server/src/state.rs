//! The shared state of all requests.

use crate::allowlist::Allowlist;
use crate::apps::ToldSessions;
use crate::bans::Bans;
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::floods::Floods;
use crate::flows::audit::Notes;
use crate::http::assets;
use crate::keyring::{self, Keyring, Vault};
use crate::live::Live;
use crate::operator::metrics::Metrics;
use crate::passwords::{self, Passwords};
use crate::queue::Queue;
use crate::request_id::RequestIds;
use crate::revocations::Revocations;
use crate::sessions::Sessions;
use crate::site::Site;
use crate::tokens::Tokens;
use crate::{jobs, key_encryption, key_encryption::KeyEncryptionKey};
use app::view::Assets;
use axum::extract::FromRef;
use leptos::prelude::LeptosOptions;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use store::Store;
use verify::SeenProofs;

/// Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub store: Arc<dyn Store>,
    pub key_encryption: KeyEncryptionKey,
    pub keyring: Arc<Keyring>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub bans: Bans,
    pub allowlist: Allowlist,
    pub live: Live,
    pub floods: Floods,
    pub notes: Notes,
    pub sessions: Sessions,
    pub told: ToldSessions,
    pub revocations: Revocations,
    pub queue: Queue,
    pub proofs: SeenProofs,
    pub sync: jobs::Freshness,
    pub metrics: Metrics,
    pub request_ids: RequestIds,
    pub site: Site,
    pub assets: Arc<Assets>,
    leptos: LeptosOptions,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    KeyEncryption(#[from] key_encryption::Error),
    #[error(transparent)]
    Keyring(#[from] keyring::Error),
    #[error(transparent)]
    Passwords(#[from] passwords::Error),
}

impl AppState {
    /// Loads keys and bans, and starts the hash threads.
    ///
    /// # Errors
    /// The store fails, or its keys do not match.
    pub async fn load(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        site: Site,
    ) -> Result<Self, Error> {
        let key = KeyEncryptionKey::load(&config, &*entropy)?;
        key.hear(&*store).await?;
        let vault = Vault { store: &*store, key: &key, entropy: &*entropy, config: &config, now: clock.now() };
        let keyring = Arc::new(Keyring::load(&vault).await?);
        let state = Self(Arc::new(Parts {
            tokens: Tokens::new(Arc::clone(&keyring), &config),
            passwords: Passwords::start(&config.settings, &*entropy)?,
            bans: Bans::default(),
            allowlist: Allowlist::default(),
            live: Live::default(),
            floods: Floods::new(config.policy.limits),
            notes: Notes::default(),
            sessions: Sessions::default(),
            told: ToldSessions::default(),
            revocations: Revocations::default(),
            queue: Queue::new(passwords::threads(&config.settings)),
            proofs: SeenProofs::default(),
            sync: jobs::Freshness::default(),
            metrics: Metrics::new(clock.now()),
            request_ids: RequestIds::new(&*entropy),
            assets: Arc::new(assets::manifest(site)),
            site,
            leptos: LeptosOptions::builder().output_name("postern").build(),
            config,
            clock,
            entropy,
            store,
            key_encryption: key,
            keyring,
        }));
        state.bans.load(&*state.store, state.now()).await?;
        state.allowlist.replace(state.store.allowlist().await?);
        let ended = state.store.sessions_ended(state.now() - domain::revocation::TOLD_MS).await?;
        state.sessions.remember(&ended, state.now());
        jobs::sync(&state).await?;
        Ok(state)
    }

    pub fn now(&self) -> domain::UnixMs {
        self.clock.now()
    }

    /// Returns the means to make and read server keys.
    pub fn vault(&self) -> Vault<'_> {
        Vault {
            store: &*self.store,
            key: &self.key_encryption,
            entropy: &*self.entropy,
            config: &self.config,
            now: self.now(),
        }
    }

    /// Returns a new ULID.
    pub fn ulid(&self) -> String {
        self.entropy.ulid(self.now())
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppState(..)")
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts(..)")
    }
}
