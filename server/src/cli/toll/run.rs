//! `postern toll run`

use super::booth;
use crate::cli::Outcome;
use crate::cli::serve::wait_for_signal;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, Layers, toll_table};
use crate::entropy::{Entropy, SystemEntropy};
use crate::guards::forwarded;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use toll::route::Table;
use toll::{Gate, Limits, Surroundings};

/// How often the settings file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub async fn serve(config: Config, layers: Layers) -> Outcome {
    let settings = config.settings.toll.clone();
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| format!("{}: {error}", settings.listen))?;
    let table = toll_table(&settings.routes, &Table::default())?;
    let surroundings = surroundings(&config);
    let booth = booth::open(&config, &surroundings).await?;
    let gate_config = toll::Config { https: settings.https(), ipv6_prefix: config.settings.ipv6_prefix };
    let gate = Arc::new(Gate::new(gate_config, table, surroundings, booth.clone()));
    println!("The gate listens on http://{} and answers as {}", listener.local_addr()?, settings.public_url);
    println!("  with {} routes: postern toll routes", settings.routes.len());
    let (stop, stopped) = watch::channel(false);
    let limits = Limits { connections: settings.max_connections };
    let serving = tokio::spawn(toll::serve(listener, Arc::clone(&gate), limits, stopped));
    // Goes on until the last request is answered and counted.
    let (stop_keeping, kept) = watch::channel(false);
    let keeping = booth.map(|booth| tokio::spawn(async move { booth.run(kept).await }));
    let reading = tokio::spawn(read_again(layers, gate));
    wait_for_signal().await?;
    tracing::info!("stopping: requests that have begun are answered");
    let _ = stop.send(true);
    serving.await?;
    let _ = stop_keeping.send(true);
    if let Some(keeping) = keeping {
        keeping.await?;
    }
    reading.abort();
    Ok(())
}

fn surroundings(config: &Config) -> Surroundings {
    let proxies = Arc::clone(&config.proxies);
    Surroundings {
        now: Arc::new(|| SystemClock.now()),
        random: Arc::new(|bytes| SystemEntropy.fill(bytes)),
        client: Arc::new(move |peer, headers| forwarded::client(&proxies, peer, headers)),
    }
}

/// Routes and prices change without a restart: when the file does, and on SIGHUP. Settings that cannot
/// stand change nothing.
async fn read_again(layers: Layers, gate: Arc<Gate>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
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
            Ok(routes) => tracing::info!(routes, "routes and prices were read again"),
            Err(error) => tracing::error!(cause = %error, "changed settings cannot be used; those before stay"),
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
