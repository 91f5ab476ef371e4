//! The gate's access to portal sessions, by the portal's cookie, which reaches the gate on the portal's host.

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::cookies::{self, CookieName};
use crate::entropy::SystemEntropy;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{self, Keyring, Vault};
use crate::tokens::Tokens;
use async_trait::async_trait;
use domain::UnixMs;
use http::HeaderMap;
use std::sync::Arc;
use store::Store;
use store::sessions::SessionRow;
use toll::payments::Secrets;

pub(super) struct PortalClient {
    config: Config,
    store: Arc<dyn Store>,
    key: KeyEncryptionKey,
    keyring: Arc<Keyring>,
    tokens: Tokens,
}

impl PortalClient {
    pub(super) fn new(config: &Config, store: Arc<dyn Store>, key: KeyEncryptionKey, keyring: Arc<Keyring>) -> Self {
        let tokens = Tokens::new(Arc::clone(&keyring), config);
        Self { config: config.clone(), store, key, keyring, tokens }
    }

    /// Follows new and revoked keys of the portal and passes them to the gate.
    pub(super) async fn reload(&self, secrets: &Secrets) -> Result<(), keyring::KeyringError> {
        self.key.reload(&*self.store).await?;
        let now = SystemClock.now();
        self.keyring.reload(&self.vault(now)).await?;
        let (serving, ended) = (self.keyring.serving_macs(now), self.keyring.ended_macs(now));
        if let Some((current, others)) = serving.split_first() {
            secrets.replace(&current.toll, others.iter().map(|macs| &*macs.toll), ended.iter().map(|macs| &*macs.toll));
        }
        Ok(())
    }

    fn vault(&self, now: UnixMs) -> Vault<'_> {
        Vault { store: &*self.store, key: &self.key, entropy: &SystemEntropy, config: &self.config, now }
    }

    async fn takes(&self, token: &str) -> Result<bool, keyring::KeyringError> {
        let now = SystemClock.now();
        // At most once a second, for keys that were made or revoked at the portal.
        self.keyring.reload_for_unknown(&self.vault(now)).await?;
        let Some(claims) = self.tokens.verify_for(&self.config.origin, token, now) else { return Ok(false) };
        let session = self.store.session(&claims.sid).await?;
        let takes = |row: &SessionRow| !row.user_disabled && row.life.takes_access(claims.generation, now);
        let Some(row) = session.filter(takes) else { return Ok(false) };
        if row.life.is_first_use(claims.generation) {
            self.store.show_generation(&row.id, claims.generation).await?;
        }
        Ok(true)
    }
}

#[async_trait]
impl toll::PortalSessions for PortalClient {
    async fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        for token in cookies::all(headers, &self.config, CookieName::Access).take(cookies::TRIED) {
            let taken = self.takes(token).await.unwrap_or_else(|error| {
                tracing::warn!(cause = %crate::error_chain::chain(&error), "looking up a session failed");
                false
            });
            if taken {
                return true;
            }
        }
        false
    }
}
