//! `postern toll run`

use super::announce::Announcer;
use super::payments::{self, RunningPayments};
use crate::cli::listen::ListenAddress;
use crate::cli::process::Signals;
use crate::cli::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::{ClientAddress, Config, ConfigError, Layers, TollSettings, toll_table};
use crate::entropy::{Entropy, SystemEntropy};
use crate::guards::forwarded;
use crate::ops_listener;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use toll::route::RouteTable;
use toll::{Environment, Gate, GateLimits};

/// Interval for checking the settings file.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A gate with an open listener, not serving yet.
pub struct BoundGate {
    gate: Arc<Gate>,
    running_payments: Option<RunningPayments>,
    announcer: Option<Announcer>,
    listener: TcpListener,
    operator: Option<TcpListener>,
    http: net::HttpSettings,
    signals: Signals,
}

pub(super) async fn serve(config: Config, layers: Layers) -> Outcome {
    // Installed first, because an unhandled SIGHUP would end the program.
    let hangup = signal(SignalKind::hangup())?;
    let settings = &config.settings.toll;
    let opened = BoundGate::new(listen(settings).await?, &config).await?;
    println!("The gate listens on http://{} with the public URL {}", opened.address()?, settings.public_url);
    println!("  with {} routes, listed by postern toll routes", settings.routes.len());
    if let Some(operator) = &opened.operator {
        println!("  health and metrics are on http://{}", operator.local_addr()?);
    }
    let changed = opened.announcer.as_ref().map(|announcer| Arc::clone(&announcer.changed));
    let reading = tokio::spawn(read_again(layers, Arc::clone(&opened.gate), changed, hangup));
    opened.serve().await?;
    reading.abort();
    Ok(())
}

pub async fn listen(settings: &TollSettings) -> Result<TcpListener, Failure> {
    let flags = "--set toll.listen=ADDRESS:{port}, and a toll.public_url that leads there";
    ListenAddress { what: "the paid gate", address: settings.listen, flags }.listen().await
}

impl std::fmt::Debug for BoundGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoundGate(..)")
    }
}

impl BoundGate {
    pub async fn new(listener: TcpListener, config: &Config) -> Result<Self, Failure> {
        let settings = &config.settings.toll;
        let table = toll_table(&settings.routes, &RouteTable::default())?;
        let environment = environment(config);
        let running_payments = payments::open(config, &environment).await?;
        let state = running_payments.as_ref().map(|running_payments| running_payments.gate.clone());
        let payments = state.as_ref().map(|state| Arc::clone(&state.payments));
        let gate_config = toll::GateConfig { https: settings.https(), ipv6_prefix: config.settings.ipv6_prefix };
        let gate = Arc::new(Gate::new(gate_config, table, environment, payments));
        let announcer =
            state.map(|state| Announcer::new(Arc::clone(&gate), Arc::clone(&state.payments), Arc::clone(&state.store)));
        let operator = ops_listener::listener::bind_as("toll.operator_listen", settings.operator_listen).await?;
        // Each connection may need another one to an upstream.
        let files = net::fit(settings.max_connections, 2, crate::connections::SPARE_FILES);
        let (limits, proxies) = (GateLimits { connections: files.connections }, Arc::clone(&config.proxies));
        let mut http = toll::http(limits, config.settings.connections.minimum_rate(), move |peer| proxies.trusts(peer));
        let proxies = Arc::clone(&config.proxies);
        let says_first = proxies.client_address == ClientAddress::ProxyProtocol;
        http.speaks_proxy = Box::new(move |peer| says_first && proxies.trusts(peer));
        Ok(Self { gate, running_payments, announcer, listener, operator, http, signals: Signals::install()? })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until a signal ends the program.
    pub async fn serve(self) -> Outcome {
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(toll::serve_with(self.listener, self.gate, self.http, stopped.clone()));
        // Continues until the last request is answered and counted.
        let (stop_keeping, kept) = watch::channel(false);
        let gate = self.running_payments.as_ref().map(|running_payments| running_payments.gate.clone());
        let (payments, hearing) = self.running_payments.map(RunningPayments::start).unzip();
        let keeping = payments.map(|payments| tokio::spawn(async move { payments.run(kept).await }));
        let announcing = self.announcer.map(|announcer| tokio::spawn(announcer.run(stopped.clone())));
        let operator = self
            .operator
            .map(|listener| tokio::spawn(ops_listener::listener::serve(listener, ops_listener::gate::router(gate))));
        self.signals.received().await;
        tracing::info!("stopping after the running requests");
        let _ = stop.send(true);
        serving.await?;
        let _ = stop_keeping.send(true);
        for task in hearing.into_iter().chain(operator) {
            task.abort();
        }
        for task in [keeping, announcing].into_iter().flatten() {
            task.await?;
        }
        Ok(())
    }
}

fn environment(config: &Config) -> Environment {
    let proxies = Arc::clone(&config.proxies);
    Environment {
        now: Arc::new(|| SystemClock.now()),
        random: Arc::new(|bytes| SystemEntropy.fill(bytes)),
        client: Arc::new(move |peer, headers| forwarded::client(&proxies, peer, headers)),
    }
}

/// Reads routes and prices again when the file changes and on SIGHUP. Invalid settings change nothing.
async fn read_again(layers: Layers, gate: Arc<Gate>, changed: Option<Arc<Notify>>, mut hangup: Signal) {
    let file = layers.file();
    let mut seen = written(file.as_deref());
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {
                let now = written(file.as_deref());
                if now == seen {
                    continue;
                }
                seen = now;
            }
        }
        match load(&layers, &gate) {
            Ok(routes) => {
                tracing::info!(routes, "routes and prices were read again");
                if let Some(changed) = &changed {
                    changed.notify_one();
                }
            }
            Err(error) => tracing::error!(cause = %error, "the changed settings are invalid; the old ones stay in use"),
        }
    }
}

fn load(layers: &Layers, gate: &Gate) -> Result<usize, ConfigError> {
    let settings = layers.load()?.settings.toll;
    gate.replace(toll_table(&settings.routes, &gate.table())?);
    Ok(settings.routes.len())
}

fn written(file: Option<&Path>) -> Option<(SystemTime, u64)> {
    let data = file?.metadata().ok()?;
    Some((data.modified().ok()?, data.len()))
}
