//! The network.

use crate::process::Process;
use crate::{Error, Result, programs, snapshot};
use monero::{Node, RpcLimits, Wallet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tpat::Txid;

/// Time limit for a program's first answer.
const READY: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(30);
/// Maximum number of starts, because another program may take a free port before ours does.
const TRIES: usize = 3;

/// Blocks of the snapshot; the coinbase of the first forty can be spent.
const BLOCKS: u64 = 100;

/// The content of the snapshot.
const PARTS: [&str; 3] = ["node", "w-payer", "w-merchant"];

/// A node and two wallets, which are stopped on drop.
#[derive(Debug)]
pub struct RegtestNetwork {
    pub node: Arc<Node>,
    /// The wallet with money.
    pub payer: Arc<Wallet>,
    /// The wallet without money.
    pub merchant: Arc<Wallet>,
    ports: Ports,
    payer_address: String,
    // In the order in which they are stopped.
    wallets: [Process; 2],
    daemon: Process,
    directory: PathBuf,
    /// Removed last.
    temporary: Option<TempDir>,
}

/// A payment and its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenPayment {
    pub txid: Txid,
    pub proof: String,
    pub fee: u64,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    node: u16,
    peers: u16,
    payer: u16,
    merchant: u16,
}

impl RegtestNetwork {
    /// Starts from the snapshot in a temporary directory.
    ///
    /// # Errors
    /// [`Error`]: then the test fails.
    pub async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        snapshot::unpack(directory.path())?;
        let mut regtest = Self::in_directory(directory.path()).await?;
        regtest.temporary = Some(directory);
        regtest.open_wallets().await?;
        Ok(regtest)
    }

    /// Continues with the network in a directory. If the directory does not exist, creates it from the snapshot.
    ///
    /// # Errors
    /// [`Error`]: a program is missing or ends, or the directory cannot be written.
    pub async fn start_in(directory: &Path) -> Result<Self> {
        if !directory.exists() {
            // The final name appears only when the directory is complete.
            let fresh = directory.with_extension("new");
            if fresh.exists() {
                fs::remove_dir_all(&fresh)?;
            }
            fs::create_dir(&fresh)?;
            snapshot::unpack(&fresh)?;
            fs::rename(&fresh, directory)?;
        }
        let mut regtest = Self::in_directory(&directory.canonicalize()?).await?;
        regtest.open_wallets().await?;
        Ok(regtest)
    }

    /// Creates the snapshot's chain in a directory and stops everything, so that the files are complete.
    pub async fn bake(target: &Path) -> Result<()> {
        let directory = tempfile::tempdir()?;
        for name in PARTS {
            fs::create_dir(directory.path().join(name))?;
        }
        let mut regtest = Self::in_directory(directory.path()).await?;
        tokio::try_join!(regtest.payer.create("payer"), regtest.merchant.create("merchant"))?;
        regtest.settle().await?;
        regtest.mine(BLOCKS).await?;
        tokio::try_join!(regtest.payer.refresh(), regtest.merchant.refresh())?;
        for index in 1..=9 {
            regtest.merchant.create_address(&format!("route {index}")).await?;
        }
        tokio::try_join!(regtest.payer.store(), regtest.merchant.store())?;
        regtest.end();
        for name in PARTS {
            let copied = std::process::Command::new("cp")
                .args(["-r", "--sparse=always"])
                .arg(directory.path().join(name))
                .arg(target)
                .status()?;
            if !copied.success() {
                return Err(Error::Snapshot(format!("{name} cannot be copied")));
            }
        }
        Ok(())
    }

    /// Starts the programs on free ports, and on others if one is in use.
    async fn in_directory(directory: &Path) -> Result<Self> {
        programs::are_installed()?;
        let mut last = None;
        for _ in 0..TRIES {
            match Self::on_free_ports(directory).await {
                Err(ended @ Error::Ended { .. }) => last = Some(ended),
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| Error::Snapshot("no port is free".to_owned())))
    }

    async fn on_free_ports(path: &Path) -> Result<Self> {
        let port = programs::free_port;
        let ports = Ports { node: port()?, peers: port()?, payer: port()?, merchant: port()? };
        let daemon =
            Process::start("monerod", &programs::monerod(path, ports.node, ports.peers), &path.join("node.out"))?;
        let wallet = |name: &str, port: u16| {
            let arguments = programs::wallet(path, name, ports.node, port);
            Process::start("monero-wallet-rpc", &arguments, &path.join(format!("{name}.out")))
        };
        let wallets = [wallet("payer", ports.payer)?, wallet("merchant", ports.merchant)?];
        // Opening a wallet and mining are slow on a busy machine.
        let limits = RpcLimits { timeout: Duration::from_mins(2), ..RpcLimits::default() };
        let mut regtest = Self {
            node: Arc::new(Node::new(&url(ports.node), limits)?),
            payer: Arc::new(Wallet::new(&url(ports.payer), limits)?),
            merchant: Arc::new(Wallet::new(&url(ports.merchant), limits)?),
            ports,
            payer_address: String::new(),
            wallets,
            daemon,
            directory: path.to_owned(),
            temporary: None,
        };
        regtest.wait_for_node().await?;
        regtest.wait_for_wallets().await?;
        Ok(regtest)
    }

    async fn open_wallets(&mut self) -> Result<()> {
        tokio::try_join!(self.payer.open("payer"), self.merchant.open("merchant"))?;
        self.settle().await
    }

    /// Makes everything deterministic: nothing is read from the node unless requested.
    async fn settle(&mut self) -> Result<()> {
        tokio::try_join!(self.payer.auto_refresh(false), self.merchant.auto_refresh(false))?;
        self.payer_address = self.payer.address().await?;
        Ok(())
    }

    async fn wait_for_node(&mut self) -> Result<()> {
        let until = Instant::now() + READY;
        while self.node.info().await.is_err() {
            self.daemon.check()?;
            if Instant::now() > until {
                return Err(self.daemon.silent());
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn wait_for_wallets(&mut self) -> Result<()> {
        let until = Instant::now() + READY;
        for (process, wallet) in self.wallets.iter_mut().zip([&self.payer, &self.merchant]) {
            while wallet.version().await.is_err() {
                process.check()?;
                if Instant::now() > until {
                    return Err(process.silent());
                }
                tokio::time::sleep(POLL).await;
            }
        }
        Ok(())
    }

    pub fn node_url(&self) -> String {
        url(self.ports.node)
    }

    pub fn payer_url(&self) -> String {
        url(self.ports.payer)
    }

    pub fn merchant_url(&self) -> String {
        url(self.ports.merchant)
    }

    /// Mines blocks to an irrelevant address and returns the newest block's number.
    pub async fn mine(&self, blocks: u64) -> Result<u64> {
        Ok(self.node.generate_blocks(blocks, &self.payer_address).await?)
    }

    /// Returns a new address of the merchant in account 0; there are nine.
    pub async fn merchant_address(&self) -> Result<String> {
        Ok(self.merchant.create_address("").await?.address)
    }

    /// Pays and proves it over a message. The transaction is then in the pool.
    pub async fn pay(&self, address: &str, piconero: u64, message: &str) -> Result<ProvenPayment> {
        self.payer.refresh().await?;
        let sent = self.payer.transfer(&[(address, piconero)], 0).await?;
        let proof = self.payer.tx_proof(&sent.txid, address, message).await?;
        Ok(ProvenPayment { txid: sent.txid, proof, fee: sent.fee })
    }

    /// Stops everything in order, so that the files on disk are complete.
    pub fn end(mut self) {
        self.wallets.iter().chain([&self.daemon]).for_each(Process::ask_to_end);
        self.wallets.iter_mut().chain([&mut self.daemon]).for_each(Process::end);
    }

    /// Stops the node, as in a reboot. Its chain remains.
    pub fn stop_node(&mut self) {
        self.daemon.end();
    }

    /// Starts it again on the same port.
    pub async fn start_node(&mut self) -> Result<()> {
        let path = &self.directory;
        let arguments = programs::monerod(path, self.ports.node, self.ports.peers);
        self.daemon = Process::start("monerod", &arguments, &path.join("node.out"))?;
        self.wait_for_node().await
    }

    /// Kills the payer's wallet, as in a power cut: unsaved data is lost.
    pub fn kill_payer(&self) {
        self.wallets[0].kill_at_once();
    }

    /// Starts the payer's wallet again on the same port, with its saved data.
    pub async fn start_payer(&mut self) -> Result<()> {
        let path = &self.directory;
        let arguments = programs::wallet(path, "payer", self.ports.node, self.ports.payer);
        self.wallets[0].kill();
        self.wallets[0] = Process::start("monero-wallet-rpc", &arguments, &path.join("payer.out"))?;
        self.wait_for_wallets().await?;
        self.payer.open("payer").await?;
        Ok(self.payer.auto_refresh(false).await?)
    }

    /// Pauses the node with open connections, so that it is slow but not gone.
    pub fn pause_node(&self, paused: bool) {
        self.daemon.pause(paused);
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
