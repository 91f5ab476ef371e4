//! Who pays: the person's own monero-wallet-rpc. No key and no money is ever in this program.

use crate::{Error, Result, Server};
use async_trait::async_trait;
use domain::encoding::{base64url, sha256};
use monero::{Limits, Wallet};
use std::time::Duration;
use tpat::Txid;

/// A wallet signs in seconds, and waits for its node before that.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A payment that is signed and not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub txid: String,
    /// Piconero, on top of the price.
    pub fee: u64,
    inner: Option<monero::Prepared>,
}

impl Prepared {
    /// For payers of one's own: with nothing of a wallet inside.
    pub fn new(txid: String, fee: u64) -> Self {
        Self { txid, fee, inner: None }
    }
}

/// What paying needs of a wallet.
#[async_trait]
pub trait Payer: std::fmt::Debug + Send + Sync {
    /// A name for the wallet that says nothing of it.
    async fn name(&self) -> Result<String>;
    async fn prepare(&self, address: &str, piconero: u64) -> Result<Prepared>;
    async fn send(&self, prepared: &Prepared) -> Result<()>;
    /// Whether a transaction of this wallet's was sent, now or earlier.
    async fn sent(&self, txid: &str) -> Result<bool>;
    /// Shows that the transaction paid the address, over a message.
    async fn prove(&self, txid: &str, address: &str, message: &str) -> Result<String>;
}

/// A monero-wallet-rpc with an open wallet.
#[derive(Debug)]
pub struct WalletPayer {
    wallet: Wallet,
}

impl WalletPayer {
    /// # Errors
    /// This is no address of a wallet, or not a private one: what goes there in the clear could be changed
    /// on its way.
    pub fn new(url: &str) -> Result<Self> {
        let named = reqwest::Url::parse(url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
        if named {
            return Err(Error::Server("a wallet that asks for a name and password cannot be used".to_owned()));
        }
        if !Server::of(url)?.is_private() {
            let why = "a wallet is spoken to over https, or on this machine";
            return Err(Error::Server(format!("{why}, and {} is neither", Server::of(url)?)));
        }
        let wallet = Wallet::new(url, Limits { timeout: TIMEOUT, ..Limits::default() })?;
        Ok(Self { wallet })
    }
}

#[async_trait]
impl Payer for WalletPayer {
    async fn name(&self) -> Result<String> {
        let address = self.wallet.address().await?;
        Ok(base64url(&sha256(address.as_bytes())))
    }

    async fn prepare(&self, address: &str, piconero: u64) -> Result<Prepared> {
        self.wallet.refresh().await?;
        let prepared = self.wallet.prepare(address, piconero).await?;
        Ok(Prepared { txid: prepared.txid.to_string(), fee: prepared.fee, inner: Some(prepared) })
    }

    async fn send(&self, prepared: &Prepared) -> Result<()> {
        let signed = prepared.inner.as_ref().ok_or(Error::NoSuch(String::new()))?;
        Ok(self.wallet.relay(signed).await?)
    }

    async fn sent(&self, txid: &str) -> Result<bool> {
        self.wallet.refresh().await?;
        Ok(self.wallet.knows(&read(txid)?).await?)
    }

    async fn prove(&self, txid: &str, address: &str, message: &str) -> Result<String> {
        Ok(self.wallet.tx_proof(&read(txid)?, address, message).await?)
    }
}

fn read(txid: &str) -> Result<Txid> {
    txid.parse().map_err(|_| Error::NoSuch(txid.to_owned()))
}
