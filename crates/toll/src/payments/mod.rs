//! The payment service: offers, redemptions and tokens.

mod address_pool;
mod admit;
mod agreed_keys;
mod browser_addresses;
mod browser_offer;
mod browser_page;
mod chain_state;
mod compat;
mod dpop;
mod lookup;
mod offer;
mod redeem;
mod refusals;
mod scan_progress;
mod scanner;
mod secrets;
mod upkeep;
mod watch;

pub use address_pool::{AddressPool, SubaddressIndex};
pub use browser_addresses::BrowserAddresses;
pub(crate) use browser_offer::GrantedToken;
pub use redeem::{PresentedPayment, RedeemOutcome, RequestedBinding};
pub use secrets::Secrets;

use crate::caller::Caller;
use crate::environment::{Environment, PortalSessions};
use crate::ledger::Ledger;
use crate::rate_limiter::RateLimiter;
use agreed_keys::AgreedKeys;
use chain_state::ChainState;
use domain::UnixMs;
use domain::client_key::ClientKey;
use dpop::DpopVerifier;
use http::{HeaderName, HeaderValue};
use monero::{Node, Verifier};
use quick_cache::sync::Cache;
use scan_progress::PaymentScanner;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tpat::challenge::RouteId;
use tpat::{Address, Txid};
use wire::toll::Network;

/// Milliseconds in which an unknown transaction is not requested again.
const MISSING_MS: i64 = 2_000;

/// Milliseconds in which a verified proof is not verified again.
const PROVEN_MS: i64 = 10 * 60_000;

/// Maximum time in milliseconds that a client is remembered as having no free request left, because settings may change
/// meanwhile.
const USED_UP_MS: i64 = 60_000;

#[derive(Debug, Clone)]
pub struct PaymentSettings {
    pub network: Network,
    /// Period in which a challenge can be paid, in seconds.
    pub challenge_s: u64,
    /// Maximum number of payments that may be presented for one offer in a minute; ten times as many by one client.
    pub redemptions_per_minute: u32,
    /// Interval of checks of the chain. Most checks find nothing new and cost one request.
    pub look_every: Duration,
}

/// The parts of a payment service.
pub struct PaymentServiceParts {
    pub settings: PaymentSettings,
    pub secrets: Secrets,
    /// The addresses for payments.
    pub pool: AddressPool,
    /// Addresses for browsers and their payments; without them browsers present proofs.
    pub browser_addresses: Option<BrowserAddresses>,
    pub store: Arc<dyn Store>,
    pub verifier: Box<dyn Verifier>,
    /// Nodes for the watcher, which uses the first that answers.
    pub nodes: Vec<Arc<Node>>,
    pub environment: Environment,
    /// The portal's sessions. Without them, no client counts as signed in.
    pub portal: Option<Arc<dyn PortalSessions>>,
}

pub struct PaymentService {
    settings: PaymentSettings,
    secrets: Secrets,
    pool: AddressPool,
    browser_addresses: Option<BrowserAddresses>,
    store: Arc<dyn Store>,
    verifier: Box<dyn Verifier>,
    nodes: Vec<Arc<Node>>,
    environment: Environment,
    portal: Option<Arc<dyn PortalSessions>>,
    dpop: DpopVerifier,
    /// Keys for MACs, which replace proofs of possession.
    agreed: AgreedKeys,
    ledger: Ledger,
    chain: ChainState,
    scanner: PaymentScanner,
    /// Limits the assignments of addresses.
    assignments: RateLimiter<ClientKey>,
    /// Limits payments that a client presents for one offer.
    presented: RateLimiter<(ClientKey, [u8; 16])>,
    /// Limits payments that a client presents, apart from those that pages of other origins make it present.
    redemptions: RateLimiter<(ClientKey, bool)>,
    /// Limits proofs in requests that buy nothing yet, in the same way.
    proofs: RateLimiter<(ClientKey, bool)>,
    /// Clients that have no free request left, and until when. The store is not read for them each time.
    used_up: Cache<(RouteId, ClientKey), UnixMs>,
    /// Unknown transactions, and until when they are not requested again.
    missing: Cache<Txid, UnixMs>,
    /// Verified credentials of 2022 by their hash, with the ids of their accounts, and until when.
    proven: Cache<[u8; 32], (String, UnixMs)>,
    /// New challenges by route, not yet counted in the store.
    challenges: parking_lot::Mutex<HashMap<String, i64>>,
}

impl PaymentService {
    pub fn new(parts: PaymentServiceParts) -> Self {
        let PaymentServiceParts {
            settings,
            secrets,
            pool,
            browser_addresses,
            store,
            verifier,
            nodes,
            environment,
            portal,
        } = parts;
        Self {
            dpop: DpopVerifier::new(&secrets),
            agreed: AgreedKeys::default(),
            ledger: Ledger::new(Arc::clone(&store)),
            chain: ChainState::default(),
            scanner: PaymentScanner::default(),
            assignments: RateLimiter::default(),
            presented: RateLimiter::default(),
            redemptions: RateLimiter::default(),
            proofs: RateLimiter::default(),
            used_up: Cache::new(200_000),
            missing: Cache::new(100_000),
            proven: Cache::new(100_000),
            challenges: parking_lot::Mutex::default(),
            settings,
            secrets,
            pool,
            browser_addresses,
            store,
            verifier,
            nodes,
            environment,
            portal,
        }
    }
}

impl PaymentService {
    pub(crate) fn network(&self) -> Network {
        self.settings.network
    }

    /// Whether no payment could be found or verified now, so that none is requested.
    pub fn is_away(&self) -> bool {
        self.chain_is_away() || self.verifier_is_away()
    }

    /// Whether no node can be used.
    pub fn chain_is_away(&self) -> bool {
        self.chain.is_away((self.environment.now)())
    }

    /// Whether the program that verifies payments besides the node does not answer.
    pub fn verifier_is_away(&self) -> bool {
        self.chain.verifier_is_away((self.environment.now)())
    }

    /// Returns the time of the last successful check of the chain, and its number of blocks then.
    pub fn chain_seen(&self) -> Option<(UnixMs, i64)> {
        self.chain.seen_at().map(|at| (at, self.chain.height()))
    }

    /// Returns the address of an index. `None`: it is no longer ours.
    fn address(&self, subaddress: SubaddressIndex) -> Option<Address> {
        match &self.browser_addresses {
            Some(browser_addresses) if subaddress.account == browser_addresses::ACCOUNT => {
                browser_addresses.address(subaddress.index)
            }
            _ => self.pool.address(subaddress),
        }
    }

    /// Returns the nonce for the client's next proof of possession.
    pub(crate) fn nonce(&self, caller: &Caller<'_>) -> (HeaderName, HeaderValue) {
        self.dpop.nonce(caller.now)
    }
}

impl std::fmt::Debug for PaymentService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Booth(..)")
    }
}

impl std::fmt::Debug for PaymentServiceParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts(..)")
    }
}
