//! Builds the payment service from the settings: addresses, nodes, secrets and the store.

use super::portal::PortalClient;
use crate::cli::{Failure, store};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, NetworkSetting, TollSettings, VerifierSetting};
use crate::entropy::SystemEntropy;
use crate::key_encryption::KeyEncryptionKey;
use crate::keyring::{Keyring, Vault};
use crate::ops_listener::gate::GateState;
use crate::view_key::view_pair;
use monero::{FallbackVerifier, Node, NodeVerifier, RpcLimits, Verifier, Wallet, WalletVerifier};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use toll::payments::{AddressPool, BrowserAddresses, PaymentServiceParts, PaymentSettings, Secrets};
use toll::{Environment, PaymentService};
use tpat::Address;
use wire::toll::Network;

/// Limits for requests to a node, since a client waits for them.
const NODE: RpcLimits = RpcLimits { timeout: Duration::from_secs(5), at_once: 4, longest: 16 << 20 };
/// Interval for checking the chain.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Interval for reading new and revoked keys from the store.
const RELOAD_EVERY: Duration = Duration::from_secs(1);

/// A payment service, and the task that updates its secrets when the server's keys change.
pub(super) struct RunningPayments {
    pub gate: GateState,
    portal: Arc<PortalClient>,
    secrets: Secrets,
}

impl RunningPayments {
    /// Follows changes of keys until it is aborted.
    pub(super) async fn reload(portal: Arc<PortalClient>, secrets: Secrets) {
        let mut tick = tokio::time::interval(RELOAD_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut could = true;
        loop {
            tick.tick().await;
            let reloaded = portal.reload(&secrets).await;
            // Logged once, not every second.
            match &reloaded {
                Err(error) if could => {
                    tracing::error!(cause = %crate::error_chain::chain(error), "keys cannot be read");
                }
                Ok(()) if !could => tracing::info!("keys are read again"),
                _ => {}
            }
            could = reloaded.is_ok();
        }
    }

    /// Returns the payment service, and starts the task that follows changes of keys.
    pub(super) fn start(self) -> (Arc<PaymentService>, JoinHandle<()>) {
        (self.gate.payments, tokio::spawn(Self::reload(self.portal, self.secrets)))
    }
}

/// Opens the payment service. `None`: no addresses are configured, and no route costs anything.
pub(super) async fn open(config: &Config, environment: &Environment) -> Result<Option<RunningPayments>, Failure> {
    let settings = &config.settings.toll;
    let Some((pool, browser_addresses)) = addresses(settings)? else { return Ok(None) };
    let store = store::open_for_server(config).await?;
    let key = KeyEncryptionKey::load(config, &*store, &SystemEntropy).await?;
    let vault = Vault { store: &*store, key: &key, entropy: &SystemEntropy, config, now: SystemClock.now() };
    let keyring = Arc::new(Keyring::load(&vault).await?);
    let macs = keyring.macs(SystemClock.now())?;
    let secrets = Secrets::derive(&keyring.digests.payments, &macs.toll, []);
    let portal = Arc::new(PortalClient::new(config, Arc::clone(&store), key, keyring));
    portal.reload(&secrets).await?;
    let nodes: Vec<_> =
        settings.monerod.iter().map(|url| Node::new(url, NODE).map(Arc::new)).collect::<Result<_, _>>()?;
    let payments = Arc::new(PaymentService::new(PaymentServiceParts {
        settings: PaymentSettings {
            network: network(settings.network),
            challenge_s: settings.challenge.0.as_secs(),
            redemptions_per_minute: settings.redemptions_per_minute,
            look_every: LOOK_EVERY,
        },
        secrets: secrets.clone(),
        pool,
        browser_addresses,
        store: Arc::clone(&store),
        verifier: verifier(settings, &nodes)?,
        nodes,
        environment: environment.clone(),
        portal: Some(Arc::clone(&portal) as Arc<dyn toll::PortalSessions>),
    }));
    Ok(Some(RunningPayments { gate: GateState { payments, store }, portal, secrets }))
}

fn verifier(settings: &TollSettings, nodes: &[Arc<Node>]) -> Result<Box<dyn Verifier>, Failure> {
    let wallet = match settings.verifier {
        VerifierSetting::Monerod => None,
        VerifierSetting::WalletRpc => Some(Arc::new(Wallet::new(&settings.wallet_rpc, NODE)?)),
    };
    let each = nodes.iter().map(|node| -> Box<dyn Verifier> {
        match &wallet {
            None => Box::new(NodeVerifier::new(Arc::clone(node))),
            Some(wallet) => Box::new(WalletVerifier::new(Arc::clone(node), Arc::clone(wallet))),
        }
    });
    Ok(Box::new(FallbackVerifier::new(each.collect())))
}

/// Returns the addresses for payments, and those for browsers.
fn addresses(settings: &TollSettings) -> Result<Option<(AddressPool, Option<BrowserAddresses>)>, Failure> {
    if let Some(pair) = view_pair(settings)? {
        // If a wallet must confirm every payment, unproven payments are not accepted.
        let follow = settings.people > 0 && settings.verifier == VerifierSetting::Monerod;
        let browser_addresses = if follow { Some(BrowserAddresses::new(pair.clone(), settings.people)?) } else { None };
        return Ok(Some((AddressPool::derived(pair, settings.subaddresses)?, browser_addresses)));
    }
    let addresses = settings.addresses.iter().map(|text| text.parse().map_err(|error| wrong("toll.addresses", error)));
    let addresses: Vec<Address> = addresses.collect::<Result<_, _>>()?;
    Ok(if addresses.is_empty() { None } else { Some((AddressPool::listed(addresses)?, None)) })
}

fn wrong(setting: &str, error: impl std::fmt::Display) -> ConfigError {
    ConfigError::invalid(setting, &error.to_string())
}

fn network(network: NetworkSetting) -> Network {
    match network {
        NetworkSetting::Mainnet => Network::Mainnet,
        NetworkSetting::Stagenet => Network::Stagenet,
        NetworkSetting::Testnet => Network::Testnet,
    }
}
