//! A portal, a time server and an app on one machine. With `--toll` also a price server behind the paid gate, with test
//! money.

use crate::parts::{beside, here};
use crate::{app, toll};
use ::time_server::key;
use server::cli::listen::{ListenAddress, all_free};
use server::cli::{DemoArgs, Failure, Outcome, blocking, data_folder, serve, store, time_server};
use server::clock::{Clock, SystemClock};
use server::config::{Config, ListenSetting, TimeServerSettings};
use server::entropy::SystemEntropy;
use server::flows::actor::Actor;
use server::flows::services;
use server::site::SiteFiles;

/// The demo's data folder, separate so that the demo does not touch real data.
const FOLDER: &str = "demo";

/// Returns its settings as (setting, value); every flag overrides them.
pub(crate) fn settings() -> Vec<(String, String)> {
    let TimeServerSettings { listen, tcp, .. } = TimeServerSettings::default();
    let tcp = tcp.0.map_or_else(String::new, |address| format!("localhost:{}", address.port()));
    let url = format!("ws://localhost:{}{}", listen.port(), wire::time::PATH);
    [("data_dir", FOLDER.to_owned()), ("time.url", url), ("time.tcp", tcp)]
        .into_iter()
        .chain(app::settings())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub(crate) fn run(mut config: Config, args: &DemoArgs, site: SiteFiles) -> Outcome {
    if args.toll {
        regtest::are_installed()?;
    }
    let settings = time_server_of(&config);
    all_free(&places(&config, &settings, args.toll))?;
    data_folder(&config)?;
    blocking(register(&config, &settings))?;
    let app = app::SampleApp::new(&config)?;
    let gate = if args.toll { Some(toll::open(&mut config)?) } else { None };
    beside("time server", move || time_server::serve_until_signal(&settings))?;
    beside("sample app", move || blocking(app.serve()))?;
    serve::run(config, site)?;
    // The gate stops too, and has more to clean up.
    gate.map_or(Ok(()), |gate| gate.join().map_err(|_| "the paid gate broke".into()))
}

/// Returns all listeners, with the flags of `postern demo`.
fn places(config: &Config, time: &TimeServerSettings, toll: bool) -> Vec<ListenAddress> {
    let portal = "--set listen=127.0.0.1:{port} --set public_url=http://localhost:{port}";
    let app = "--set 'apps=[{ name = \"hello\", origin = \"http://hello.localhost:{port}\" }]'";
    let web = "--set time.url=ws://localhost:{port}/time";
    let place = |what, address, flags| Some(ListenAddress { what, address: address?, flags });
    [
        Some(serve::listen_address(config, portal)),
        place("the page of health and metrics", config.settings.operator.listen.0, "--set operator.listen=off"),
        place("the time server", Some(time.listen), web),
        place("the time server for terminals", time.tcp.0, "--set time.tcp=localhost:{port}"),
        place("the sample app", app::address(config), app),
        place("the paid gate", toll.then_some(config.settings.toll.listen), "--set toll.listen=127.0.0.1:{port}"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the time server that the portal's settings point to.
fn time_server_of(config: &Config) -> TimeServerSettings {
    let usual = TimeServerSettings::default();
    let found = &config.settings.time;
    TimeServerSettings {
        listen: here(&found.url).unwrap_or(usual.listen),
        tcp: ListenSetting(here(&found.tcp)),
        issuer: config.origin.clone(),
        key: config.settings.data_dir.join("time-server.key"),
        ..usual
    }
}

async fn register(config: &Config, settings: &TimeServerSettings) -> Result<(), Failure> {
    let store = store::open(config).await?;
    let actor = Actor::command_line(&*store, config, &SystemEntropy, SystemClock.now());
    let key = time_server::load_key(settings)?;
    let jwk = serde_json::from_str(&key::public_jwk(&key))?;
    if !services::list(&*store).await?.iter().any(|service| service.name == settings.service) {
        services::set(&actor, &settings.service, &jwk, None).await?;
    }
    store.close().await;
    Ok(())
}
