//! `postern setup`

use super::Outcome;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{Keyring, Vault};
use crate::setup;

pub(super) async fn run(config: Config) -> Outcome {
    let store = super::store::open_or_create(&config).await?;
    if store.has_users().await? {
        return Err(
            "an account exists already: add more with 'postern user add'. If none of them is an administrator, run \
                    'postern user role NAME administrator'"
                .into(),
        );
    }
    let key = KeyEncryptionKey::load(&config, &*store, &SystemEntropy).await?;
    let now = SystemClock.now();
    let vault = Vault { store: &*store, key: &key, entropy: &SystemEntropy, config: &config, now };
    println!("{}", setup::link(&config, &Keyring::load(&vault).await?, now)?);
    Ok(())
}
