//! The parts of a time server, and the life of one connection.

use crate::carrier::{Carrier, CarrierError, Origins, last_word};
use crate::clock::Clock;
use crate::conversation::say;
use crate::open_connections::OpenConnections;
use crate::tickets::{OpenedTicket, TicketVerifier};
use ipnet::IpNet;
use jwe::PrivateKey;
use net::{ConnectionLimits, ConnectionSettings, MinimumRate};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use verify::{FetchError, Jwks, OutagePolicy, Revocations, Verifier};
use wire::time::{Answer, CloseReason};

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
    pub(crate) visits: OpenConnections,
    pub(crate) environment: Environment,
}

impl TimeServer {
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
            visits: OpenConnections::default(),
            environment,
        })
    }

    /// Serves one connection until it ends.
    pub(crate) async fn attend(&self, mut carrier: impl Carrier, stop: watch::Receiver<bool>) {
        // Boxed, because a hello needs much memory that a connection should not keep.
        let greeted = Box::pin(self.greet_or_stop(&mut carrier, stop.clone())).await;
        let (mut channel, opened) = match greeted {
            Ok(greeted) => greeted,
            Err(ended) => return refuse(carrier, ended).await,
        };
        let Err(CarrierError::Because(reason)) = self.converse(&mut carrier, &mut channel, opened, stop).await else {
            return;
        };
        tracing::debug!(?reason, "a connection ended");
        let said = say(&Answer::Closed { reason }, &mut carrier, &mut channel, &mut Vec::new()).await;
        if said.is_ok() {
            Box::pin(carrier.close(reason)).await;
        }
    }

    async fn greet_or_stop(
        &self,
        carrier: &mut impl Carrier,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(crate::SealedChannel, OpenedTicket), CarrierError> {
        tokio::select! {
            greeted = self.greet(carrier) => greeted,
            _ = stop.wait_for(|stop| *stop) => Err(CloseReason::GoingAway.into()),
        }
    }
}

fn trusts(proxies: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    proxies.iter().any(|network| network.contains(&peer))
}

/// Ends a connection before it has keys.
pub(crate) async fn refuse(mut carrier: impl Carrier, ended: CarrierError) {
    let CarrierError::Because(reason) = ended else { return };
    tracing::debug!(?reason, "a connection was refused");
    if carrier.send(&last_word(reason)).await.is_ok() {
        Box::pin(carrier.close(reason)).await;
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings(..)")
    }
}
