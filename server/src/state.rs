//! The shared state of all requests, in parts. Handlers and flows name the part that they need.
//!
//! Each part derefs to the one below it, so that a caller with more passes it as it is:
//!
//! ```text
//! AppState → SessionState → KeyState → CoreState
//!    └ .defence: DefenceState ────────────┘
//! ```

mod core;
mod defence;
mod keys;
mod sessions;

pub use self::core::CoreState;
pub use self::defence::DefenceState;
pub use self::keys::KeyState;
pub use self::sessions::SessionState;

use crate::account_count::AccountCount;
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::key_encryption;
use crate::keyring;
use crate::mailer::{Mailer, MailerError};
use crate::oauth::discovery::DiscoveryCache;
use crate::passwords::{self, HashPool};
use crate::request_id::RequestIds;
use crate::site::SiteFiles;
use crate::sync_freshness;
use app::view::Assets;
use axum::extract::FromRef;
use leptos::prelude::LeptosOptions;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use store::Store;
use tokio::sync::Semaphore;

/// Maximum number of links that are mailed at a time after the answer. More wait only while the database is slow.
pub(crate) const LINK_REQUESTS: u32 = 64;

/// Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

pub struct Inner {
    core: Arc<CoreState>,
    keys: Arc<KeyState>,
    signed_in: Arc<SessionState>,
    pub defence: Arc<DefenceState>,
    pub discovery: DiscoveryCache,
    /// `None`: mail is off.
    pub mailer: Option<Mailer>,
    /// Permits for links that are mailed after the answer. Holding all of them means that none is on its way.
    pub link_requests: Arc<Semaphore>,
    pub passwords: HashPool,
    pub accounts: AccountCount,
    pub request_ids: RequestIds,
    pub site: SiteFiles,
    pub assets: Arc<Assets>,
    leptos: LeptosOptions,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    KeyEncryption(#[from] key_encryption::KeyEncryptionError),
    #[error(transparent)]
    Keyring(#[from] keyring::KeyringError),
    #[error(transparent)]
    Mailer(#[from] MailerError),
    #[error(transparent)]
    Passwords(#[from] passwords::HashError),
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
        site: SiteFiles,
    ) -> Result<Self, StartError> {
        // The numbers are read first, so that changes during loading are read again.
        let asked_at = clock.moment();
        let began = asked_at.unix;
        let changes = store.last_changes().await?;
        let core = CoreState::new(config, store, clock, entropy);
        let keys = KeyState::load(Arc::clone(&core)).await?;
        let state = Self(Arc::new(Inner {
            signed_in: SessionState::new(Arc::clone(&keys)),
            defence: DefenceState::new(Arc::clone(&core)),
            discovery: DiscoveryCache::default(),
            mailer: Mailer::load(&core.config)?,
            link_requests: Arc::new(Semaphore::new(LINK_REQUESTS as usize)),
            passwords: HashPool::start(&core.config.settings, &*core.entropy)?,
            accounts: AccountCount::default(),
            request_ids: RequestIds::new(&*core.entropy),
            assets: Arc::new(site.assets()),
            site,
            leptos: LeptosOptions::builder().output_name("postern").build(),
            core,
            keys,
        }));
        state.defence.bans.load_few(&*state.store, state.now()).await?;
        state.defence.allowlist.reload(&*state.store).await?;
        state.clients.reload(&*state.store).await?;
        let ended = state.store.sessions_ended(sync_freshness::recent(began)).await?;
        state.sessions.remember(&ended, began);
        state.sync.read_at(began);
        state.sync.followed_at(asked_at, changes);
        state.renew_mail_limit().await?;
        Ok(state)
    }
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = SessionState;

    fn deref(&self) -> &SessionState {
        &self.signed_in
    }
}

/// Lets handlers take a part.
macro_rules! part {
    ($part:ty, $field:ident) => {
        impl FromRef<AppState> for Arc<$part> {
            fn from_ref(state: &AppState) -> Self {
                Arc::clone(&state.0.$field)
            }
        }
    };
}

part!(CoreState, core);
part!(KeyState, keys);
part!(SessionState, signed_in);
part!(DefenceState, defence);

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// Keeps keys out of logs.
macro_rules! opaque {
    ($($part:ident)*) => {
        $(impl fmt::Debug for $part {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($part), "(..)"))
            }
        })*
    };
}

opaque!(AppState Inner CoreState KeyState SessionState DefenceState);
