//! The shared state of all requests.

use crate::account_count::AccountCount;
use crate::allowlist::Allowlist;
use crate::apps::IdentityHeadersCache;
use crate::audit_row_limit::AuditRowLimit;
use crate::bans::Bans;
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::keyed_mutex::KeyedMutex;
use crate::keyring::{self, Keyring, Vault};
use crate::mailer::{Mailer, MailerError};
use crate::metrics::Metrics;
use crate::oauth::clients::Clients;
use crate::oauth::discovery::DiscoveryCache;
use crate::oauth::tokens::ClientTokens;
use crate::outbound::Outbound;
use crate::passwords::{self, HashPool};
use crate::rate_limiter::RateLimiter;
use crate::recent_tokens::RecentTokens;
use crate::refusal_feed::RefusalFeed;
use crate::request_id::RequestIds;
use crate::revocations::Revocations;
use crate::sessions::SessionCache;
use crate::site::SiteFiles;
use crate::sync_freshness::{self, SyncFreshness};
use crate::tokens::Tokens;
use crate::{key_encryption, key_encryption::KeyEncryptionKey};
use app::view::Assets;
use axum::extract::FromRef;
use leptos::prelude::LeptosOptions;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use store::Store;
use tokio::sync::Semaphore;
use verify::ReplayCache;

/// Maximum number of links that are mailed at a time after the answer. More wait only while the database is slow.
pub(crate) const LINK_REQUESTS: u32 = 64;

/// Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

pub struct Inner {
    pub config: Config,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub store: Arc<dyn Store>,
    pub key_encryption: KeyEncryptionKey,
    pub keyring: Arc<Keyring>,
    pub tokens: Tokens,
    pub client_tokens: ClientTokens,
    pub clients: Clients,
    pub discovery: DiscoveryCache,
    /// `None`: mail is off.
    pub mailer: Option<Mailer>,
    /// Permits for links that are mailed after the answer. Holding all of them means that none is on its way.
    pub link_requests: Arc<Semaphore>,
    pub outbound: Outbound,
    pub passwords: HashPool,
    pub accounts: AccountCount,
    pub bans: Bans,
    pub allowlist: Allowlist,
    pub refusal_feed: RefusalFeed,
    pub rate_limiter: RateLimiter,
    pub notes: AuditRowLimit,
    pub sessions: SessionCache,
    pub identity_headers: IdentityHeadersCache,
    pub recent_tokens: RecentTokens,
    pub revocations: Revocations,
    pub attempt_locks: KeyedMutex,
    pub proofs: ReplayCache,
    pub sync: SyncFreshness,
    pub metrics: Metrics,
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
        let key = KeyEncryptionKey::load(&config, &*store, &*entropy).await?;
        let vault = Vault { store: &*store, key: &key, entropy: &*entropy, config: &config, now: clock.now() };
        let keyring = Arc::new(Keyring::load(&vault).await?);
        let state = Self(Arc::new(Inner {
            tokens: Tokens::new(Arc::clone(&keyring), &config),
            client_tokens: ClientTokens::new(Arc::clone(&keyring), &config.origin, config.settings.session.access.ms()),
            clients: Clients::new(&config),
            discovery: DiscoveryCache::default(),
            mailer: Mailer::load(&config)?,
            link_requests: Arc::new(Semaphore::new(LINK_REQUESTS as usize)),
            outbound: Outbound::new(&config),
            passwords: HashPool::start(&config.settings, &*entropy)?,
            accounts: AccountCount::default(),
            bans: Bans::default(),
            allowlist: Allowlist::default(),
            refusal_feed: RefusalFeed::default(),
            rate_limiter: RateLimiter::new(config.policy.limits),
            notes: AuditRowLimit::default(),
            sessions: SessionCache::default(),
            identity_headers: IdentityHeadersCache::default(),
            recent_tokens: RecentTokens::default(),
            revocations: Revocations::default(),
            attempt_locks: KeyedMutex::new(passwords::threads(&config.settings)),
            proofs: ReplayCache::default(),
            sync: SyncFreshness::new(config.sqlite_file().is_none()),
            metrics: Metrics::new(clock.now()),
            request_ids: RequestIds::new(&*entropy),
            assets: Arc::new(site.assets()),
            site,
            leptos: LeptosOptions::builder().output_name("postern").build(),
            config,
            clock,
            entropy,
            store,
            key_encryption: key,
            keyring,
        }));
        state.bans.load_few(&*state.store, state.now()).await?;
        state.allowlist.reload(&*state.store).await?;
        state.clients.reload(&*state.store).await?;
        let ended = state.store.sessions_ended(sync_freshness::recent(began)).await?;
        state.sessions.remember(&ended, began);
        state.sync.read_at(began);
        state.sync.followed_at(asked_at, changes);
        state.renew_mail_limit().await?;
        Ok(state)
    }

    /// Says that this installation sends mail, if this node does. Another node may have other settings.
    ///
    /// # Errors
    /// The store fails.
    pub async fn renew_mail_limit(&self) -> store::Result<()> {
        match self.config.settings.mail.limit() {
            Some(per_hour) => self.store.renew_mail_limit(per_hour, self.now()).await,
            None => Ok(()),
        }
    }

    pub fn now(&self) -> domain::UnixMs {
        self.clock.now()
    }

    /// Returns the time by which the age of knowledge of other nodes is measured.
    pub fn moment(&self) -> domain::following::Moment {
        self.clock.moment()
    }

    /// Forgets what this node keeps of people: headers for apps, and answers about tokens of clients. A request has
    /// changed names, roles, profiles or groups; the other nodes follow the order of changes.
    pub fn forget_people(&self) {
        self.identity_headers.clear();
        self.recent_tokens.forget();
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
    type Target = Inner;

    fn deref(&self) -> &Inner {
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

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts(..)")
    }
}
