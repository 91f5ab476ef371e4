//! The part that signs, encrypts and verifies.

use super::core::CoreState;
use super::error::StartError;
use crate::dpop::PROOF_REMEMBERED_MS;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{Keyring, Vault};
use crate::oauth::tokens::ClientTokens;
use crate::tokens::Tokens;
use std::ops::Deref;
use std::sync::Arc;
use verify::ReplayCache;

/// The server's keys, the tokens that they sign, and the proofs that were used.
pub struct KeyState {
    core: Arc<CoreState>,
    pub key_encryption: KeyEncryptionKey,
    pub keyring: Arc<Keyring>,
    pub tokens: Tokens,
    pub client_tokens: ClientTokens,
    pub proofs: ReplayCache,
}

impl KeyState {
    pub(super) async fn load(core: Arc<CoreState>) -> Result<Arc<Self>, StartError> {
        let key_encryption = KeyEncryptionKey::load(&core.config, &*core.store, &*core.entropy).await?;
        let keyring = Arc::new(Keyring::load(&vault(&core, &key_encryption)).await?);
        let config = &core.config;
        Ok(Arc::new(Self {
            tokens: Tokens::new(Arc::clone(&keyring), config),
            client_tokens: ClientTokens::new(Arc::clone(&keyring), &config.origin, config.settings.session.access.ms()),
            proofs: ReplayCache::new(PROOF_REMEMBERED_MS),
            core,
            key_encryption,
            keyring,
        }))
    }

    /// Returns the means to make and read server keys.
    pub fn vault(&self) -> Vault<'_> {
        vault(&self.core, &self.key_encryption)
    }
}

impl Deref for KeyState {
    type Target = CoreState;

    fn deref(&self) -> &CoreState {
        &self.core
    }
}

fn vault<'a>(core: &'a CoreState, key: &'a KeyEncryptionKey) -> Vault<'a> {
    Vault { store: &*core.store, key, entropy: &*core.entropy, config: &core.config, now: core.now() }
}
