//! The demo's paid gate: a price server behind it, a payer's wallet, and a private Monero network with automatic
//! blocks.

use crate::parts::beside;
use regtest::RegtestNetwork;
use server::cli::toll::{BoundGate, listen};
use server::cli::{Failure, Outcome, blocking};
use server::config::{Config, TollSettings};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;

/// The network's folder in the data folder; the next demo continues with it.
const CHAIN: &str = "chain";
const BLOCK_EVERY: Duration = Duration::from_secs(20);

/// The paying client.
const CLIENT: &str = "postern-client";

/// Routes as an operator writes them. The first bundle needs no confirmation, the second one block.
const ROUTES: &str = r#"
[[routes]]
name = "price"
path = "/price"
price = "0.002 XMR"
quota = 10
zero_conf_below = "0.005 XMR"
bundles = [{ price = "0.02 XMR", quota = 200, ttl = "1d" }]
"#;

/// The merchant's addresses: browsers get their own and need no proof.
struct SampleMerchant {
    primary: String,
    view_key: PathBuf,
}

/// The gate and everything behind it.
struct SampleGate {
    regtest: RegtestNetwork,
    upstream: TcpListener,
    gate: BoundGate,
}

/// Starts the gate on its own thread and copies its settings for the portal. The thread ends with the program.
///
/// # Errors
/// The gate's address is in use, or the network does not start.
pub(crate) fn open(config: &mut Config) -> Result<JoinHandle<()>, Failure> {
    say!("Starting a private Monero network: this takes some seconds ...");
    let (sender, receiver) = mpsc::channel();
    let own = config.clone();
    let thread = beside("paid gate", move || {
        blocking(async move {
            match SampleGate::open(own).await {
                Ok((sample_gate, settings)) => {
                    sender.send(Ok(settings))?;
                    sample_gate.serve().await
                }
                Err(error) => Ok(sender.send(Err(error))?),
            }
        })
    })?;
    config.settings.toll = receiver.recv()??;
    Ok(thread)
}

impl SampleGate {
    async fn open(mut config: Config) -> Result<(Self, TollSettings), Failure> {
        let listener = listen(&config.settings.toll).await?;
        let regtest = RegtestNetwork::start_in(&config.settings.data_dir.join(CHAIN)).await?;
        let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let merchant = SampleMerchant {
            primary: regtest.merchant.address().await?,
            view_key: write_view_key(&config, &regtest.merchant.view_key().await?)?,
        };
        let settings = settings(&config.settings.toll, &regtest.node_url(), &merchant, upstream.local_addr()?)?;
        config.settings.toll = settings.clone();
        let gate = BoundGate::new(listener, &config).await?;
        greet(gate.address()?, &regtest.payer_url());
        Ok((Self { regtest, upstream, gate }, settings))
    }

    /// Serves until a signal ends the program.
    async fn serve(self) -> Outcome {
        let Self { regtest, upstream, gate } = self;
        tokio::select! {
            served = gate.serve() => served?,
            priced = axum::serve(upstream, price_server::router()) => priced?,
            mined = mine(&regtest) => mined?,
        }
        regtest.end();
        Ok(())
    }
}

/// Returns the gate's settings: the configured listener, and otherwise the demo's values. Real addresses and nodes are
/// never used.
fn settings(
    set: &TollSettings,
    node: &str,
    merchant: &SampleMerchant,
    upstream: SocketAddr,
) -> Result<TollSettings, Failure> {
    let primary = &merchant.primary;
    let text = format!("monerod = ['{node}']\nprimary_address = '{primary}'\n{ROUTES}upstream = 'http://{upstream}'\n");
    let settings = TollSettings {
        listen: set.listen,
        public_url: set.public_url.clone(),
        view_key_file: Some(merchant.view_key.clone()),
        ..toml::from_str(&text)?
    };
    settings.check()?;
    Ok(settings)
}

/// Writes the view key into the network's folder, readable by its owner only, as the gate requires.
fn write_view_key(config: &Config, key: &str) -> Result<PathBuf, Failure> {
    let path = config.settings.data_dir.join(CHAIN).join("view.key");
    owner_file::write(&path, key.as_bytes())?;
    Ok(path)
}

fn greet(gate: SocketAddr, wallet: &str) {
    say!(
        "The paid gate sells a price at http://{gate}/price, for play money. Open it in a browser, or pay from a terminal:"
    );
    let client = client();
    let name = client.as_deref().unwrap_or(CLIENT);
    say!("  {name} toll set --wallet {wallet} --max-pay 0.01");
    say!("  {name} get http://{gate}/price");
    if client.is_none() {
        say!("  ({CLIENT} is not on the PATH, nor beside this program: make client builds it)");
    }
}

/// Returns the shell command of the client: in this program's folder, or else by its name.
fn client() -> Option<String> {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(CLIENT));
    if let Some(path) = beside.filter(|path| path.is_file()) {
        let path = path.display().to_string();
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+'));
        return Some(if plain { path } else { format!("'{}'", path.replace('\'', "'\\''")) });
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(CLIENT).is_file()).then(|| CLIENT.to_owned())
}

async fn mine(regtest: &RegtestNetwork) -> Outcome {
    let mut blocks = tokio::time::interval(BLOCK_EVERY);
    // The first tick is immediate.
    blocks.tick().await;
    loop {
        blocks.tick().await;
        regtest.mine(1).await?;
    }
}
