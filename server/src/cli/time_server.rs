//! `postern time-server`

use super::listen::ListenAddress;
use super::process::{Signals, start_log, survive_hangup};
use super::{Failure, Outcome, blocking, output};
use crate::config::TimeServerSettings;
use crate::connections::SPARE_FILES;
use crate::entropy::{Entropy, SystemEntropy};
use crate::ops_listener::{health, listener};
use jwe::PrivateKey;
use std::path::Path;
use std::sync::Arc;
use time_server::{Environment, Listeners, SystemClock, TimeServer, key};
use tokio::sync::watch;

#[derive(Debug, Default, clap::Args)]
pub struct TimeServerArgs {
    /// The address for browsers [default: 127.0.0.1:3002]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The address for terminals, or off [default: 127.0.0.1:3003]
    #[arg(long, value_name = "ADDRESS:PORT")]
    tcp: Option<String>,
    /// The auth server [default: http://localhost:3000]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    #[command(subcommand)]
    command: Option<TimeServerCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum TimeServerCommand {
    /// Print its public key, which the auth server needs; creates the key the first time
    Key,
}

impl TimeServerArgs {
    /// Returns the flags as (setting, value).
    pub fn settings(&self) -> Vec<(String, String)> {
        let named = [("listen", &self.listen), ("tcp", &self.tcp), ("issuer", &self.issuer)];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
    }
}

pub fn run(settings: &TimeServerSettings, args: &TimeServerArgs) -> Outcome {
    if let Some(TimeServerCommand::Key) = args.command {
        println!("{}", key::public_jwk(&load_key(settings)?));
        return output::is_complete();
    }
    start_log(&settings.log)?;
    serve_until_signal(settings)
}

/// Loads the key, or creates it the first time.
pub fn load_key(settings: &TimeServerSettings) -> Result<PrivateKey, key::Error> {
    key::load(&settings.key, &random())
}

/// Serves until a signal arrives.
pub fn serve_until_signal(settings: &TimeServerSettings) -> Outcome {
    let key = load_key(settings)?;
    // One thread, and one listener for each transport: almost every file is a connection.
    let mut config = settings.config();
    config.max_connections = net::fit(config.max_connections, 1, SPARE_FILES).connections;
    let server = Arc::new(server(config, key)?);
    // One thread serves thousands.
    blocking(serve(settings, server))
}

/// Returns the server, before it opens any listener.
pub(super) fn server(config: time_server::Config, key: PrivateKey) -> Result<TimeServer, Failure> {
    let surroundings = Environment { clock: Arc::new(SystemClock), random: Arc::new(random) };
    Ok(TimeServer::new(config, key, surroundings)?)
}

/// Opens the listener for browsers and, unless disabled, the one for terminals.
pub(super) async fn open(
    settings: &TimeServerSettings,
    web: ListenAddress,
    flags: &'static str,
) -> Result<Listeners, Failure> {
    let web = web.listen().await?;
    let tcp = match settings.tcp.0 {
        Some(address) => Some(ListenAddress { what: "the time server for terminals", address, flags }.listen().await?),
        None => None,
    };
    Ok(Listeners { web, tcp })
}

async fn serve(settings: &TimeServerSettings, server: Arc<TimeServer>) -> Outcome {
    survive_hangup()?;
    let web = ListenAddress { what: "the time server", address: settings.listen, flags: "--listen ADDRESS:{port}" };
    let listeners = open(settings, web, "--tcp ADDRESS:{port}, or --tcp off").await?;
    let operator = listener::bind_as("operator_listen", settings.operator_listen).await?;
    let signals = Signals::install()?;
    println!("The time server listens on ws://{}{}", listeners.web.local_addr()?, wire::time::PATH);
    if let Some(tcp) = &listeners.tcp {
        println!("  and for terminals on {}", tcp.local_addr()?);
    }
    if let Some(operator) = &operator {
        println!("  and for health checks on http://{}", operator.local_addr()?);
    }
    println!("It accepts tickets from {} for the service '{}'.", settings.issuer, settings.service);
    println!("Its public key is in {}.", public_file(&settings.key));
    let (stop, stopped) = watch::channel(false);
    if let Some(operator) = operator {
        tokio::spawn(listener::serve(operator, health::router()));
    }
    let serving = tokio::spawn(server.serve(listeners, stopped));
    signals.received().await;
    tracing::info!("stopping: closing all connections");
    let _ = stop.send(true);
    serving.await?;
    Ok(())
}

fn random() -> [u8; 32] {
    <dyn Entropy>::bytes(&SystemEntropy)
}

fn public_file(key: &Path) -> String {
    key::public_file(key).display().to_string()
}
