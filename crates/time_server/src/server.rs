//! The parts of a time server.

use crate::carrier::Origins;
use crate::clock::Clock;
use crate::open_connections::OpenConnections;
use crate::tickets::TicketVerifier;
use ipnet::IpNet;
use jwe::PrivateKey;
use net::{ConnectionLimits, ConnectionSettings, MinimumRate};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use verify::{FetchError, Jwks, OutagePolicy, Revocations, Verifier};

#[derive(Debug, Clone)]
pub struct Config {
    /// The auth server.
    pub issuer: String,
    pub jwks_url: String,
    /// The URL of its revocation list. `None`: not checked.
    pub revocations_url: Option<String>,
    /// Our own name, the audience of tickets.
    pub service: String,
    /// Origins whose pages may connect.
    pub origins: Vec<String>,
    pub max_connections: usize,
    /// Reverse proxies, which carry many people's connections and are exempt from fair shares.
    pub trusted_proxies: Vec<IpNet>,
    /// Idle timeout of a connection.
    pub idle: Duration,
}

/// The environment: clock and randomness.
#[derive(Clone)]
pub struct Environment {
    pub clock: Arc<dyn Clock>,
    /// Returns 32 random bytes.
    pub random: Arc<dyn Fn() -> [u8; 32] + Send + Sync>,
}

#[derive(Debug)]
pub struct TimeServer {
    pub(crate) service: String,
    pub(crate) origins: Origins,
    pub(crate) connections: Arc<ConnectionLimits>,
    pub(crate) idle_ms: i64,
    pub(crate) tickets: TicketVerifier,
    pub(crate) open_connections: OpenConnections,
    pub(crate) environment: Environment,
}

impl TimeServer {
    /// Creates a server.
    ///
    /// # Errors
    /// The URL of the auth server's keys is invalid.
    pub fn new(config: Config, key: PrivateKey, environment: Environment) -> Result<Self, FetchError> {
        let keys = Jwks::new(&config.jwks_url)?;
        let revocations = config
            .revocations_url
            .map(|url| Revocations::new(&url, &config.issuer, keys.clone(), OutagePolicy::default()))
            .transpose()?;
        let limits = ConnectionSettings {
            max: config.max_connections,
            per_address: None,
            v6_prefix: 64,
            minimum_rate: MinimumRate::default(),
        };
        let verifier = Verifier { keys, issuer: config.issuer, audience: config.service.clone(), revocations };
        Ok(Self {
            service: config.service,
            origins: Origins(config.origins),
            connections: ConnectionLimits::new(limits, Box::new(move |peer| trusts(&config.trusted_proxies, peer))),
            idle_ms: i64::try_from(config.idle.as_millis()).unwrap_or(i64::MAX),
            tickets: TicketVerifier::new(key, verifier),
            open_connections: OpenConnections::default(),
            environment,
        })
    }
}

fn trusts(proxies: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    proxies.iter().any(|network| network.contains(&peer))
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings(..)")
    }
}
