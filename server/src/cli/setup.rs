//! `postern setup`

use super::Outcome;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::Keyring;
use crate::setup;

pub async fn run(config: Config) -> Outcome {
    let store = super::store::open(&config).await?;
    if store.user_count().await? > 0 {
        return Err("there is an account already: 'postern user add' makes more".into());
    }
    let key = KeyEncryptionKey::load(&config, &SystemEntropy)?;
    let keyring = Keyring::load(&*store, &key, &SystemEntropy, &SystemClock).await?;
    println!("{}", setup::link(&config, &keyring, SystemClock.now()));
    Ok(())
}
