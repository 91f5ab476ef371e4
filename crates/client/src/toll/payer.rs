//! Payment through the person's own monero-wallet-rpc. This program never holds a key or money.

use super::account::{OpenPayment, Secret};
use super::offer::{Offer, UnusableOffer};
use crate::{Environment, Error, Result, Server, SystemEnvironment};
use async_trait::async_trait;
use domain::encoding::{base64url, sha256};
use monero::{RpcLimits, Wallet};
use std::time::Duration;
use tpat::{Address, Txid};

/// Time limit: a wallet signs within seconds, but may wait for its node first.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A signed payment that was not sent.
#[derive(Clone)]
pub struct PreparedPayment {
    pub txid: String,
    /// The network fee in piconero, in addition to the price.
    pub fee: u64,
    /// The proof that the offer was paid, valid once the payment is sent.
    pub proof: String,
    /// The transaction's secret key.
    pub key: Secret,
    /// The signed transaction, in the wallet's format.
    pub signed: Secret,
}

impl std::fmt::Debug for PreparedPayment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("txid", &self.txid).field("fee", &self.fee).finish_non_exhaustive()
    }
}

/// The functions of a wallet for paying.
#[async_trait]
pub trait Payer: std::fmt::Debug + Send + Sync {
    /// Returns a name for the wallet that reveals nothing about it.
    async fn name(&self) -> Result<String>;
    /// Signs and proves a payment without sending it.
    async fn prepare(&self, offer: &Offer) -> Result<PreparedPayment>;
    /// Sends a prepared payment; may be repeated.
    async fn send(&self, signed: &Secret) -> Result<()>;
    /// Whether the wallet's node has the transaction in its pool or chain. Any wallet can be used.
    async fn is_known(&self, payment: &OpenPayment) -> Result<bool>;
    /// Proves a payment that an earlier version made without a proof; `None`: the wallet does not know it.
    async fn prove(&self, payment: &OpenPayment) -> Result<Option<String>>;
}

/// A monero-wallet-rpc with an open wallet.
#[derive(Debug)]
pub struct WalletPayer {
    wallet: Wallet,
}

impl WalletPayer {
    /// Creates a payer for the wallet at a URL.
    ///
    /// # Errors
    /// This is not a wallet's URL, or not private: plain traffic could be changed on its way.
    pub fn new(url: &str) -> Result<Self> {
        let named = reqwest::Url::parse(url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
        if named {
            return Err(Error::Server(
                "a wallet with a login cannot be used (start monero-wallet-rpc with --disable-rpc-login)".to_owned(),
            ));
        }
        if !Server::of(url)?.is_private() {
            let why = "a wallet must use https or run on this machine";
            return Err(Error::Server(format!("{why}, and {} is neither", Server::of(url)?)));
        }
        let wallet = Wallet::new(url, RpcLimits { timeout: TIMEOUT, ..RpcLimits::default() })?;
        Ok(Self { wallet })
    }
}

#[async_trait]
impl Payer for WalletPayer {
    async fn name(&self) -> Result<String> {
        let address = self.wallet.address().await?;
        Ok(base64url(&sha256(address.as_bytes())))
    }

    /// Makes the proof here, because a wallet proves only what it has sent, and only while it remembers the key.
    /// Verifies it as a gate does, so that nothing is sent that could not be redeemed.
    async fn prepare(&self, offer: &Offer) -> Result<PreparedPayment> {
        let address = Address::parse(&offer.address).map_err(|_| UnusableOffer::Wrong("address"))?;
        self.wallet.refresh().await?;
        let monero::PreparedTransfer { txid, fee, blob, key, secret, metadata } =
            self.wallet.prepare(&offer.address, offer.piconero).await?;
        let (message, environment) = (offer.message(), &SystemEnvironment as &dyn Environment);
        let proof = tpat::prove(&txid, &address, message.as_bytes(), &key, &environment.bytes()?);
        let received = tpat::verify(&blob, &txid, &address, message.as_bytes(), &proof);
        if !received.is_ok_and(|received| received.total >= offer.piconero && received.unlock_time == 0) {
            return Err(Error::WrongPayment);
        }
        let (key, signed) = (Secret::from(secret.to_string()), Secret::from(metadata.to_string()));
        Ok(PreparedPayment { txid: txid.to_string(), fee, proof: proof.to_string(), key, signed })
    }

    async fn send(&self, signed: &Secret) -> Result<()> {
        self.wallet.relay(signed.expose()).await?;
        // The payment was sent even if the wallet cannot save its file; it is proven without the wallet.
        drop(self.wallet.store().await);
        Ok(())
    }

    async fn is_known(&self, payment: &OpenPayment) -> Result<bool> {
        let txid = read(&payment.txid)?;
        match &payment.key {
            Some(key) => Ok(self.wallet.node_has(&txid, key.expose(), &payment.offer.address).await?),
            None => Ok(self.wallet.knows(&txid).await?),
        }
    }

    async fn prove(&self, payment: &OpenPayment) -> Result<Option<String>> {
        let txid = read(&payment.txid)?;
        self.wallet.refresh().await?;
        if !self.wallet.knows(&txid).await? {
            return Ok(None);
        }
        Ok(Some(self.wallet.tx_proof(&txid, &payment.offer.address, &payment.offer.message()).await?))
    }
}

fn read(txid: &str) -> Result<Txid> {
    txid.parse().map_err(|_| Error::NoSuch(txid.to_owned()))
}
