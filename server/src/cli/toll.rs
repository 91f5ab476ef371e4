//! `postern toll run|routes`

use super::print;
use super::serve::{start_log, wait_for_signal};
use super::{Failure, Outcome, toll_books};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError, Layers, Toll, toll_table};
use crate::guards::forwarded;
use http::{Method, Uri};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use toll::route::{Path as RoutePath, Table};
use toll::terms::Terms;
use toll::{Gate, Limits, Surroundings};

/// How often the settings file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Serve the paid gate: a program of its own, beside the portal
    Run,
    /// List the routes, in the order in which they are tried
    Routes {
        /// Say which one takes this request, and why those before it do not
        #[arg(long, num_args = 2, value_names = ["METHOD", "URL"])]
        explain: Option<Vec<String>>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Books(toll_books::Command),
}

pub fn run(config: Config, layers: Layers, command: Command) -> Outcome {
    match command {
        Command::Run => {
            start_log(&config.settings.log)?;
            let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads)
                .enable_all()
                .build()?
                .block_on(serve(config, layers))
        }
        Command::Books(command) => super::blocking(toll_books::run(config, command)),
        Command::Routes { explain, json } => {
            // Upstreams have connections, and those need a runtime; none is opened here.
            super::blocking(async move { routes(&config.settings.toll, explain.as_deref(), json) })
        }
    }
}

async fn serve(config: Config, layers: Layers) -> Outcome {
    let settings = config.settings.toll.clone();
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| format!("{}: {error}", settings.listen))?;
    let table = toll_table(&settings.routes, &Table::default())?;
    let proxies = Arc::clone(&config.proxies);
    let surroundings = Surroundings {
        now: Arc::new(|| SystemClock.now()),
        client: Arc::new(move |peer, headers| forwarded::client(&proxies, peer, headers)),
    };
    let gate = Arc::new(Gate::new(toll::Config { https: settings.https() }, table, surroundings));
    println!("The gate listens on http://{} and answers as {}", listener.local_addr()?, settings.public_url);
    println!("  with {} routes: postern toll routes", settings.routes.len());
    let (stop, stopped) = watch::channel(false);
    let limits = Limits { connections: settings.max_connections };
    let serving = tokio::spawn(toll::serve(listener, Arc::clone(&gate), limits, stopped));
    let reading = tokio::spawn(read_again(layers, gate));
    wait_for_signal().await?;
    tracing::info!("stopping: requests that have begun are answered");
    let _ = stop.send(true);
    serving.await?;
    reading.abort();
    Ok(())
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

#[derive(Serialize)]
struct Row {
    name: String,
    hosts: Vec<String>,
    methods: Vec<String>,
    path: String,
    /// Piconero.
    price: Option<u64>,
    quota: Option<u32>,
    upstream: String,
    /// With `--explain`: why it does not take the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    objection: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    takes: Option<bool>,
}

fn routes(settings: &Toll, explain: Option<&[String]>, json: bool) -> Outcome {
    let table = toll_table(&settings.routes, &Table::default())?;
    let mut rows: Vec<Row> = table.iter().map(|route| row(route)).collect();
    let mut taken = None;
    if let Some([method, url]) = explain {
        let (method, host, path) = request(method, url)?;
        for (row, (route, objection)) in rows.iter_mut().zip(table.explain(&method, &host, &path)) {
            row.objection = objection.map(toll::route::Objection::as_str);
            row.takes = Some(objection.is_none() && taken.is_none());
            if objection.is_none() && taken.is_none() {
                taken = Some(route.name.clone());
            }
        }
    }
    if json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::empty("There is no route. See [toll] in postern.toml.");
    } else {
        show(rows, explain.is_some());
    }
    if explain.is_some() && taken.is_none() {
        return Err(print::nothing("no route takes this request: it is answered with 404"));
    }
    Ok(())
}

fn show(rows: Vec<Row>, explain: bool) {
    let any = |list: &[String]| if list.is_empty() { "any".to_owned() } else { list.join(" ") };
    let cells = rows.into_iter().map(|row| {
        let why = match (row.takes, row.objection) {
            (Some(true), _) => "takes it".to_owned(),
            (Some(false), None) => "never asked".to_owned(),
            (_, objection) => objection.unwrap_or_default().to_owned(),
        };
        let price = match (row.price, row.quota) {
            (Some(price), Some(quota)) => format!("{} for {quota}", toll_amount(price)),
            _ => "free".to_owned(),
        };
        [row.name, any(&row.hosts), any(&row.methods), row.path, price, row.upstream, why]
    });
    let last = if explain { "THIS REQUEST" } else { "" };
    print::table(["ROUTE", "HOST", "METHOD", "PATH", "PRICE", "UPSTREAM", last], cells);
}

fn toll_amount(piconero: u64) -> String {
    crate::config::Amount(piconero).into()
}

fn row(route: &toll::route::Route) -> Row {
    let first = route.terms.as_ref().and_then(|terms: &Terms| terms.bundles.first());
    Row {
        name: route.name.clone(),
        hosts: route.hosts.clone(),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        path: route.path.to_string(),
        price: first.map(|bundle| bundle.price),
        quota: first.map(|bundle| bundle.quota),
        upstream: route.upstream.address.as_str().to_owned(),
        objection: None,
        takes: None,
    }
}

fn request(method: &str, url: &str) -> Result<(Method, String, RoutePath), Failure> {
    let method = method.to_ascii_uppercase().parse::<Method>().map_err(|_| format!("'{method}' is no method"))?;
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.authority().is_some());
    let uri = uri.ok_or_else(|| format!("'{url}' is no address: write https://api.example.com/price"))?;
    let host = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase()).unwrap_or_default();
    let path = RoutePath::read(uri.path()).map_err(|error| format!("{error}: it is answered with 400"))?;
    Ok((method, host, path))
}
