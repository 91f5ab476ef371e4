//! The time server that runs inside `postern serve`.

use super::Failure;
use super::listen::ListenAddress;
use super::time_server::{load_key, open};
use crate::config::{Config, TimeServerSettings};
use crate::entropy::SystemEntropy;
use crate::error_chain::chain;
use crate::flows::actor::Actor;
use crate::flows::services;
use domain::UnixMs;
use serde_json::Value;
use std::sync::Arc;
use store::Store;
use time_server::{Listeners, TimeServer, key};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The maximum number of connections. Larger sites run `postern time-server`.
pub(super) const CONNECTIONS: usize = 1_000;

/// A time server whose listeners are open.
pub(super) struct EmbeddedTime {
    server: TimeServer,
    listeners: Listeners,
}

impl EmbeddedTime {
    /// Opens the listeners, registers the service, and writes its addresses into `config`. Returns `None` if the
    /// settings exclude an embedded time server, or if one that is only on by default cannot start. Then the reason is
    /// printed.
    ///
    /// # Errors
    ///
    /// `time.embedded = true` is set, and it cannot start.
    pub(super) async fn start(config: &mut Config, store: &dyn Store, now: UnixMs) -> Result<Option<Self>, Failure> {
        let time = &config.settings.time;
        let is_asked_for = time.embedded == Some(true);
        if !time.is_embedded(config.https, config.authority.is_localhost()) {
            return Ok(None);
        }
        match Self::open(config, store, now).await {
            Ok(started) => {
                let Listeners { web, tcp } = &started.listeners;
                let (web, tcp) = (web.local_addr()?.port(), tcp.as_ref().map(TcpListener::local_addr).transpose()?);
                config.settings.time.name_addresses(&config.authority, web, tcp.map(|address| address.port()));
                println!("The time server listens on {}", config.settings.time.url);
                Ok(Some(started))
            }
            Err(error) if is_asked_for => Err(error),
            Err(error) => {
                println!("Time is not available: {}", chain(&*error));
                Ok(None)
            }
        }
    }

    async fn open(config: &Config, store: &dyn Store, now: UnixMs) -> Result<Self, Failure> {
        let time = &config.settings.time;
        let settings = TimeServerSettings {
            listen: time.listen,
            tcp: time.listen_tcp,
            issuer: config.origin.clone(),
            key: config.settings.data_dir.join("time-server.key"),
            max_connections: CONNECTIONS,
            trusted_proxies: config.settings.trusted_proxies.clone(),
            ..TimeServerSettings::default()
        };
        let web =
            ListenAddress { what: "the time server", address: time.listen, flags: "--set time.listen=ADDRESS:{port}" };
        let listeners = open(&settings, web, "--set time.listen_tcp=ADDRESS:{port}").await?;
        let key = load_key(&settings)?;
        register(config, store, &serde_json::from_str(&key::public_jwk(&key))?, now).await?;
        Ok(Self { server: super::time_server::server(settings.config(), key)?, listeners })
    }

    /// Serves until `stop` changes. Every connection is then notified.
    pub(super) async fn serve(self, stop: watch::Receiver<bool>) {
        Arc::new(self.server).serve(self.listeners, stop).await;
    }
}

/// Registers the key under the name of the time service. A key that another time server has registered stays.
async fn register(config: &Config, store: &dyn Store, jwk: &Value, now: UnixMs) -> Result<(), Failure> {
    let actor = Actor::command_line(store, config, &SystemEntropy, now);
    let registered = services::list(store).await?.into_iter().find(|service| service.name == wire::time::SERVICE);
    match registered {
        None => services::set(&actor, wire::time::SERVICE, jwk, None).await.map(drop).map_err(Failure::from),
        Some(service) if Some(service.key.x.as_str()) == jwk["x"].as_str() => Ok(()),
        Some(_) => {
            Err("a time server with another key is registered. Name its address in time.url, or remove it with \
                        postern service remove time"
                .into())
        }
    }
}
