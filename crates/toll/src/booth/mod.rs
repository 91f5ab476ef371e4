//! The payment service: offers, redemptions and tokens.

mod admit;
mod compat;
mod follow;
mod held;
mod lent;
mod look;
mod offer;
mod people;
mod pool;
mod possession;
mod redeem;
mod secrets;
mod upkeep;
mod watch;

pub(crate) use held::Opened;
pub use people::People;
pub use pool::{Place, Pool};
pub use redeem::{Key, Outcome, Show};
pub use secrets::Secrets;

use crate::caller::Caller;
use crate::ledger::Ledger;
use crate::pace::Pace;
use crate::surroundings::{Portal, Surroundings};
use domain::UnixMs;
use domain::identity::Identity;
use follow::Follower;
use http::{HeaderName, HeaderValue};
use moka::sync::Cache;
use monero::{Node, Verifier};
use possession::Possessions;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tpat::challenge::RouteId;
use tpat::{Address, Txid};
use watch::Chain;
use wire::toll::Network;

/// How long an unknown transaction is not requested again.
const MISSING: Duration = Duration::from_secs(2);

/// How long a verified proof is not verified again.
const PROVEN: Duration = Duration::from_mins(10);

/// That a client has no request for nothing left is remembered so long: settings may change meanwhile.
const USED_UP: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub struct Settings {
    pub network: Network,
    /// How long a challenge can be paid, in seconds.
    pub challenge_s: u64,
    /// Payments that one client may present in a minute.
    pub redemptions_per_minute: u32,
    /// How often the chain is checked. Most checks find nothing new and cost one request.
    pub look_every: Duration,
}

/// The parts of a payment service.
pub struct Parts {
    pub settings: Settings,
    pub secrets: Secrets,
    /// The addresses for payments.
    pub pool: Pool,
    /// Addresses for browsers and their payments; without them browsers present proofs.
    pub people: Option<People>,
    pub store: Arc<dyn Store>,
    pub verifier: Box<dyn Verifier>,
    /// Used by the watcher, the first that answers.
    pub nodes: Vec<Arc<Node>>,
    pub surroundings: Surroundings,
    /// Without one, nobody counts as signed in.
    pub portal: Option<Arc<dyn Portal>>,
}

pub struct Booth {
    settings: Settings,
    secrets: Secrets,
    pool: Pool,
    people: Option<People>,
    store: Arc<dyn Store>,
    verifier: Box<dyn Verifier>,
    nodes: Vec<Arc<Node>>,
    surroundings: Surroundings,
    portal: Option<Arc<dyn Portal>>,
    possessions: Possessions,
    ledger: Ledger,
    chain: Chain,
    follower: Follower,
    /// Limits the assignments of addresses.
    lent: Pace<Identity>,
    redemptions: Pace<Identity>,
    /// Limits proofs in requests that buy nothing yet.
    proofs: Pace<Identity>,
    /// Clients that have no request for nothing left, and until when: the store is not asked each time.
    used_up: Cache<(RouteId, Identity), UnixMs>,
    missing: Cache<Txid, ()>,
    /// Verified credentials of 2022 by their hash, with the names of their accounts.
    proven: Cache<[u8; 32], String>,
    /// New challenges by route, not yet counted in the store.
    challenges: parking_lot::Mutex<HashMap<String, i64>>,
}

impl Booth {
    pub fn new(parts: Parts) -> Self {
        let Parts { settings, secrets, pool, people, store, verifier, nodes, surroundings, portal } = parts;
        Self {
            possessions: Possessions::new(&secrets),
            ledger: Ledger::new(Arc::clone(&store)),
            chain: Chain::default(),
            follower: Follower::default(),
            lent: Pace::new(Duration::from_hours(1)),
            redemptions: Pace::new(Duration::from_mins(3)),
            proofs: Pace::new(Duration::from_mins(3)),
            used_up: Cache::builder().max_capacity(200_000).time_to_live(USED_UP).build(),
            missing: Cache::builder().max_capacity(100_000).time_to_live(MISSING).build(),
            proven: Cache::builder().max_capacity(100_000).time_to_live(PROVEN).build(),
            challenges: parking_lot::Mutex::default(),
            settings,
            secrets,
            pool,
            people,
            store,
            verifier,
            nodes,
            surroundings,
            portal,
        }
    }
}

impl Booth {
    pub(crate) fn network(&self) -> Network {
        self.settings.network
    }

    /// Whether no payment could be found now, so that nobody is asked for one.
    pub fn is_away(&self) -> bool {
        self.chain.is_away((self.surroundings.now)())
    }

    /// When the chain was seen last, and how many blocks it had then.
    pub fn chain_seen(&self) -> Option<(UnixMs, i64)> {
        self.chain.seen_at().map(|at| (at, self.chain.height()))
    }

    /// Returns the address of an index. `None`: it is no longer ours.
    fn address(&self, place: Place) -> Option<Address> {
        match &self.people {
            Some(people) if place.account == people::ACCOUNT => people.address(place.index),
            _ => self.pool.address(place),
        }
    }

    /// Returns the nonce for the client's next proof of possession.
    pub(crate) fn nonce(&self, caller: &Caller<'_>) -> (HeaderName, HeaderValue) {
        self.possessions.nonce(caller.now)
    }
}

impl std::fmt::Debug for Booth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Booth(..)")
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts(..)")
    }
}
