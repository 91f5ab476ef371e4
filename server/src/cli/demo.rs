//! `postern demo`: the portal and a time server that knows it, on one machine, to look at.

use super::{Failure, Outcome, blocking, data_folder, serve, time_server};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, TimeServer as Settings};
use crate::entropy::SystemEntropy;
use crate::flows::operator::Operator;
use crate::flows::services;
use crate::site::Site;
use ::time_server::key;

/// The folder is one of its own: a demo leaves what is real alone.
const FOLDER: &str = "demo";

/// What it sets, weaker than any flag, as (setting, value).
pub fn settings() -> Vec<(String, String)> {
    let Settings { listen, tcp, .. } = Settings::default();
    let tcp = tcp.0.map_or_else(String::new, |address| format!("localhost:{}", address.port()));
    let url = format!("ws://localhost:{}{}", listen.port(), wire::time::PATH);
    [("data_dir", FOLDER.to_owned()), ("time.url", url), ("time.tcp", tcp)]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

pub fn run(config: Config, site: Site) -> Outcome {
    data_folder(&config)?;
    let key = config.settings.data_dir.join("time-server.key");
    let settings = Settings { issuer: config.origin.clone(), key, ..Settings::default() };
    blocking(register(&config, &settings))?;
    std::thread::Builder::new().name("time server".to_owned()).spawn(move || {
        if let Err(error) = time_server::tell(&settings) {
            eprintln!("postern: the time server: {}", crate::jobs::chain(&*error));
            // Half a demo would only puzzle.
            std::process::exit(1);
        }
    })?;
    serve::run(config, site)
}

async fn register(config: &Config, settings: &Settings) -> Result<(), Failure> {
    let store = super::store::open(config).await?;
    let operator = Operator::command_line(&*store, config, &SystemEntropy, SystemClock.now());
    let key = time_server::load_key(settings)?;
    let jwk = serde_json::from_str(&key::public_jwk(&key))?;
    if !services::list(&*store).await?.iter().any(|service| service.name == settings.service) {
        services::set(&operator, &settings.service, &jwk, None).await?;
    }
    store.close().await;
    Ok(())
}
