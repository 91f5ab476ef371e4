//! Builds the payment service from the settings: addresses, nodes, secrets and the store.

use super::portal::Portal;
use crate::cli::{Failure, store};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, Toll, TollNetwork, TollVerifier};
use crate::entropy::SystemEntropy;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{Keyring, Vault};
use crate::operator::gate::Till;
use monero::{FirstOf, Limits, Node, OwnVerifier, Verifier, Wallet, WalletVerifier};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use toll::booth::{Parts, People, Pool, Secrets, Settings};
use toll::{Booth, Surroundings};
use tpat::{Address, ViewPair};
use wire::toll::Network;
use zeroize::Zeroizing;

/// Limits for requests to a node, since a client waits for them.
const NODE: Limits = Limits { timeout: Duration::from_secs(5), at_once: 4, longest: 16 << 20 };
/// Interval for checking the chain.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often the store is asked for new and revoked keys.
const HEAR_EVERY: Duration = Duration::from_secs(1);

/// A booth, and the task that updates its secrets when the server's keys change.
pub struct Taking {
    pub till: Till,
    portal: Arc<Portal>,
    secrets: Secrets,
}

impl Taking {
    /// Follows changes of keys until it is aborted.
    pub async fn hear(portal: Arc<Portal>, secrets: Secrets) {
        let mut tick = tokio::time::interval(HEAR_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut could = true;
        loop {
            tick.tick().await;
            let heard = portal.hear(&secrets).await;
            // Logged once, not every second.
            match &heard {
                Err(error) if could => tracing::error!(cause = %crate::jobs::chain(error), "keys cannot be read"),
                Ok(()) if !could => tracing::info!("keys are read again"),
                _ => {}
            }
            could = heard.is_ok();
        }
    }

    /// The booth, and the task that follows changes of keys.
    pub fn start(self) -> (Arc<Booth>, JoinHandle<()>) {
        (self.till.booth, tokio::spawn(Self::hear(self.portal, self.secrets)))
    }
}

/// Opens the payment service. `None`: no addresses are configured, and no route costs anything.
pub async fn open(config: &Config, surroundings: &Surroundings) -> Result<Option<Taking>, Failure> {
    let settings = &config.settings.toll;
    let Some((pool, people)) = addresses(settings)? else { return Ok(None) };
    let store = store::open(config).await?;
    let key = KeyEncryptionKey::load(config, &SystemEntropy)?;
    key.hear(&*store).await?;
    let vault = Vault { store: &*store, key: &key, entropy: &SystemEntropy, config, now: SystemClock.now() };
    let keyring = Arc::new(Keyring::load(&vault).await?);
    let macs = keyring.macs(SystemClock.now())?;
    let secrets = Secrets::derive(&keyring.digests.payments, &macs.toll, []);
    let portal = Arc::new(Portal::new(config, Arc::clone(&store), key, keyring));
    portal.hear(&secrets).await?;
    let nodes: Vec<_> =
        settings.monerod.iter().map(|url| Node::new(url, NODE).map(Arc::new)).collect::<Result<_, _>>()?;
    let booth = Arc::new(Booth::new(Parts {
        settings: Settings {
            network: network(settings.network),
            challenge_s: settings.challenge.0.as_secs(),
            redemptions_per_minute: settings.redemptions_per_minute,
            look_every: LOOK_EVERY,
        },
        secrets: secrets.clone(),
        pool,
        people,
        store: Arc::clone(&store),
        verifier: verifier(settings, &nodes)?,
        nodes,
        surroundings: surroundings.clone(),
        portal: Some(Arc::clone(&portal) as Arc<dyn toll::Portal>),
    }));
    Ok(Some(Taking { till: Till { booth, store }, portal, secrets }))
}

fn verifier(settings: &Toll, nodes: &[Arc<Node>]) -> Result<Box<dyn Verifier>, Failure> {
    let wallet = match settings.verifier {
        TollVerifier::Monerod => None,
        TollVerifier::WalletRpc => Some(Arc::new(Wallet::new(&settings.wallet_rpc, NODE)?)),
    };
    let each = nodes.iter().map(|node| -> Box<dyn Verifier> {
        match &wallet {
            None => Box::new(OwnVerifier::new(Arc::clone(node))),
            Some(wallet) => Box::new(WalletVerifier::new(Arc::clone(node), Arc::clone(wallet))),
        }
    });
    Ok(Box::new(FirstOf::new(each.collect())))
}

/// Returns the addresses for payments, and those for browsers.
fn addresses(settings: &Toll) -> Result<Option<(Pool, Option<People>)>, Failure> {
    if let Some(pair) = view_pair(settings)? {
        // If a wallet must confirm every payment, unproven payments are not accepted.
        let follow = settings.people > 0 && settings.verifier == TollVerifier::Monerod;
        let people = if follow { Some(People::new(pair.clone(), settings.people)?) } else { None };
        return Ok(Some((Pool::derived(pair, settings.subaddresses)?, people)));
    }
    let addresses = settings.addresses.iter().map(|text| text.parse().map_err(|error| wrong("toll.addresses", error)));
    let addresses: Vec<Address> = addresses.collect::<Result<_, _>>()?;
    Ok(if addresses.is_empty() { None } else { Some((Pool::listed(addresses)?, None)) })
}

/// The view key of the settings, with the address that it belongs to. `None`: there is none.
///
/// # Errors
/// It cannot be read, others may read it, or it belongs to another address.
pub fn view_pair(settings: &Toll) -> Result<Option<ViewPair>, Failure> {
    let Some(file) = &settings.view_key_file else { return Ok(None) };
    let primary: Address = settings.primary_address.parse().map_err(|error| wrong("toll.primary_address", error))?;
    let key = secret(file)?;
    Ok(Some(ViewPair::new(&primary, key.trim()).map_err(|error| wrong("toll.view_key_file", error))?))
}

fn wrong(setting: &str, error: impl std::fmt::Display) -> ConfigError {
    ConfigError::invalid(setting, &error.to_string())
}

/// Reads a file that only its owner may read.
fn secret(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed =
        |problem: &dyn std::fmt::Display| wrong("toll.view_key_file", format!("{}: {problem}", file.display()));
    let mode = std::fs::metadata(file).map_err(|error| failed(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(failed(&format!("other users can read it (mode {:03o}): run chmod 600", mode & 0o777)).into());
    }
    Ok(std::fs::read_to_string(file).map(Zeroizing::new).map_err(|error| failed(&error))?)
}

fn network(network: TollNetwork) -> Network {
    match network {
        TollNetwork::Mainnet => Network::Mainnet,
        TollNetwork::Stagenet => Network::Stagenet,
        TollNetwork::Testnet => Network::Testnet,
    }
}
