//! `postern serve`

use super::embedded_time::{self, EmbeddedTime};
use super::listen::ListenAddress;
use super::process::{Signals, start_log, survive_hangup};
use super::{Outcome, data_folder};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::connections::{self, MainListener, SPARE_FILES, Tls};
use crate::entropy::SystemEntropy;
use crate::flows::{forgotten, passkeys};
use crate::router::router;
use crate::site::SiteFiles;
use crate::state::AppState;
use crate::{jobs, ops_listener, setup};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Debug, Default, clap::Args)]
pub struct ServeArgs {
    /// The address to listen on [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The URL that people type [default: http://localhost:3000]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl ServeArgs {
    pub fn settings(&self) -> Vec<(String, String)> {
        let named = [("listen", &self.listen), ("public_url", &self.public_url)];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
    }
}

pub fn run(config: Config, site: SiteFiles) -> Outcome {
    start_log(&config.settings.log)?;
    // The hash threads do the heavy work, so two threads for requests serve thousands.
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, 8))
        .enable_all()
        .build()?
        .block_on(serve(config, site))
}

async fn serve(mut config: Config, site: SiteFiles) -> Outcome {
    survive_hangup()?;
    data_folder(&config)?;
    let listener =
        listen_address(&config, "--listen ADDRESS:{port} and a public_url that leads there").listen().await?;
    let operator = ops_listener::listener::bind(&config.settings.operator).await?;
    let files = &config.settings.tls;
    let tls = match (&files.certificate, &files.key) {
        (Some(certificate), Some(key)) => Some(Tls::load(certificate, key).map_err(|error| format!("tls: {error}"))?),
        _ => None,
    };
    let redirect = connections::bind_redirect(&config).await?;
    let store = super::store::open_for_server(&config).await?;
    let time = EmbeddedTime::start(&mut config, &*store, SystemClock.now()).await?;
    let files_of_time = if time.is_some() { embedded_time::CONNECTIONS as u64 } else { 0 };
    let files = net::fit(config.settings.connections.max, 1, SPARE_FILES + files_of_time);
    let state = AppState::load(config, store, Arc::new(SystemClock), Arc::new(SystemEntropy), site).await?;
    let signals = Signals::install()?;
    print_addresses(&state, &listener, tls.is_some()).await?;
    if let Some(redirect) = &redirect {
        println!("Plain http on {} redirects to https", redirect.local_addr()?);
    }
    if let Some(operator) = &operator {
        println!("Health and metrics are on http://{}", operator.local_addr()?);
    }

    let (stop, stopped) = watch::channel(false);
    let time = time.map(|time| tokio::spawn(time.serve(stopped.clone())));
    let jobs = tokio::spawn(jobs::run(state.clone(), stopped.clone()));
    let operator = operator.map(|listener| {
        tokio::spawn(ops_listener::listener::serve(listener, ops_listener::listener::router(state.clone())))
    });
    let redirecting = redirect.map(|listener| {
        let (state, stopped) = (state.clone(), stopped.clone());
        tokio::spawn(async move { connections::serve_redirect(listener, &state.config, stopped).await })
    });
    let main_listener = MainListener::new(&state.config, tls).at_most(files.connections);
    let serving = tokio::spawn(connections::serve(listener, router(&state), main_listener, stopped));
    signals.received().await;
    tracing::info!("stopping after the running requests");
    state.defence.refusal_feed.end();
    let _ = stop.send(true);
    serving.await?;
    forgotten::finish(&state).await;
    if let Some(redirecting) = redirecting {
        redirecting.await?;
    }
    if let Some(time) = time {
        time.await?;
    }
    jobs.await?;
    if let Some(operator) = operator {
        operator.abort();
    }
    state.store.close().await;
    Ok(())
}

/// Returns the portal's address, with the flags that choose another.
pub fn listen_address(config: &Config, flags: &'static str) -> ListenAddress {
    ListenAddress { what: "the portal", address: config.settings.listen, flags }
}

/// Prints the URL and, before the first account exists, its link. It goes to standard output and not to the log,
/// because the link admits a person.
async fn print_addresses(state: &AppState, listener: &TcpListener, tls: bool) -> Outcome {
    let scheme = if tls { "https" } else { "http" };
    println!("Postern listens on {scheme}://{} with the public URL {}", listener.local_addr()?, state.config.origin);
    if state.config.insecure() {
        println!("Warning: without https, others on the network can read and take over sessions.");
    }
    let elsewhere = passkeys::of_other_hosts(&*state.store, &state.config).await?;
    if elsewhere > 0 {
        println!(
            "Warning: {elsewhere} passkeys were made for another host and do not work at this public URL. See postern doctor."
        );
    }
    if !state.store.has_users().await? {
        println!("No account exists yet. Create the first one, an administrator, here:");
        println!("  {}", setup::link(&state.config, &state.keyring, state.now())?);
    }
    Ok(())
}
