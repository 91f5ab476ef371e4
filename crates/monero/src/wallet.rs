//! monero-wallet-rpc.

use crate::rpc::Rpc;
use crate::{Error, Result, RpcLimits, responses};
use serde::Deserialize;
use serde_json::{Value, json};
use tpat::{TxKey, Txid};
use zeroize::Zeroizing;

/// The error code of `get_transfer_by_txid` for an unknown transfer.
const WRONG_TXID: i64 = -8;
/// The error code of `check_tx_key` if the node returned no such transaction.
const UNKNOWN: i64 = -1;

/// A client for one monero-wallet-rpc. A wallet answers one request at a time.
#[derive(Debug)]
pub struct Wallet {
    rpc: Rpc,
}

/// The amounts in a wallet, in piconero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Balance {
    pub balance: u64,
    /// The amount that can be spent now.
    pub unlocked_balance: u64,
}

/// A payment that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentTransfer {
    pub txid: Txid,
    pub amount: u64,
    pub fee: u64,
}

/// A payment that is signed and not sent, and known to the wallet only.
#[derive(Clone)]
pub struct PreparedTransfer {
    pub txid: Txid,
    pub fee: u64,
    /// The complete bytes.
    pub blob: Vec<u8>,
    /// Secret keys of the transaction, with which its payment can be proven.
    pub key: TxKey,
    /// The same as text.
    pub secret: Zeroizing<String>,
    /// The wallet's own form of it, with its secrets, for [`Wallet::relay`].
    pub metadata: Zeroizing<String>,
}

impl std::fmt::Debug for PreparedTransfer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("txid", &self.txid).field("fee", &self.fee).finish_non_exhaustive()
    }
}

/// A wallet's judgement of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ProofCheck {
    pub good: bool,
    #[serde(default)]
    pub in_pool: bool,
    #[serde(default)]
    pub received: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CreatedWallet {
    pub address: String,
    pub address_index: u32,
}

#[derive(Deserialize)]
struct RawSent {
    tx_hash: String,
    amount: u64,
    fee: u64,
    #[serde(default)]
    tx_metadata: String,
    #[serde(default)]
    tx_key: String,
    #[serde(default)]
    tx_blob: String,
}

#[derive(Deserialize)]
struct Signature {
    signature: String,
}

#[derive(Deserialize)]
struct PrimaryAddress {
    address: String,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

impl Wallet {
    /// Creates a client for a wallet.
    ///
    /// # Errors
    /// [`Error::Malformed`]: this is not a wallet's URL.
    pub fn new(url: &str, limits: RpcLimits) -> Result<Self> {
        Ok(Self { rpc: Rpc::new(url, limits)? })
    }

    /// Returns the version of the program. A wallet need not be open.
    pub async fn version(&self) -> Result<Value> {
        self.rpc.call("get_version", json!({})).await
    }

    pub async fn create(&self, name: &str) -> Result<()> {
        self.rpc
            .call("create_wallet", json!({"filename": name, "password": "", "language": "English"}))
            .await
            .map(drop_value)
    }

    pub async fn open(&self, name: &str) -> Result<()> {
        self.rpc.call("open_wallet", json!({"filename": name, "password": ""})).await.map(drop_value)
    }

    /// Writes the wallet's file.
    pub async fn store(&self) -> Result<()> {
        self.rpc.call("store", json!({})).await.map(drop_value)
    }

    /// Returns the primary address.
    pub async fn address(&self) -> Result<String> {
        let PrimaryAddress { address } = self.rpc.call("get_address", json!({"account_index": 0})).await?;
        Ok(address)
    }

    pub async fn create_address(&self, label: &str) -> Result<CreatedWallet> {
        self.rpc.call("create_address", json!({"account_index": 0, "label": label})).await
    }

    /// Returns the private view key, in hexadecimal.
    pub async fn view_key(&self) -> Result<String> {
        let Key { key } = self.rpc.call("query_key", json!({"key_type": "view_key"})).await?;
        Ok(key)
    }

    /// Sets whether the wallet reads new blocks automatically.
    pub async fn auto_refresh(&self, on: bool) -> Result<()> {
        self.rpc.call("auto_refresh", json!({"enable": on})).await.map(drop_value)
    }

    /// Reads new blocks.
    pub async fn refresh(&self) -> Result<()> {
        self.rpc.call("refresh", json!({})).await.map(drop_value)
    }

    pub async fn balance(&self) -> Result<Balance> {
        self.rpc.call("get_balance", json!({"account_index": 0})).await
    }

    /// Pays amounts in piconero to addresses. `unlock_time` is zero except in tests.
    pub async fn transfer(&self, payments: &[(&str, u64)], unlock_time: u64) -> Result<SentTransfer> {
        let destinations: Vec<Value> =
            payments.iter().map(|(address, amount)| json!({"address": address, "amount": amount})).collect();
        let parameters =
            json!({"destinations": destinations, "account_index": 0, "priority": 0, "unlock_time": unlock_time});
        let RawSent { tx_hash, amount, fee, .. } = self.rpc.call("transfer", parameters).await?;
        let txid = tx_hash.parse().map_err(|_| Error::Malformed(self.rpc.name()))?;
        Ok(SentTransfer { txid, amount, fee })
    }

    /// Signs a payment without sending it, so that its id, fee and keys are known before it can happen.
    pub async fn prepare(&self, address: &str, amount: u64) -> Result<PreparedTransfer> {
        let parameters = json!({
            "destinations": [{"address": address, "amount": amount}],
            "account_index": 0, "priority": 0, "do_not_relay": true,
            "get_tx_metadata": true, "get_tx_key": true, "get_tx_hex": true,
        });
        let RawSent { tx_hash, fee, tx_metadata, tx_key, tx_blob, .. } = self.rpc.call("transfer", parameters).await?;
        let malformed = || Error::Malformed(self.rpc.name());
        let txid = tx_hash.parse().map_err(|_| malformed())?;
        let (metadata, secret) = (Zeroizing::new(tx_metadata), Zeroizing::new(tx_key));
        let key = secret.parse().map_err(|_| malformed())?;
        let blob = responses::bytes(&tx_blob).ok_or_else(malformed)?;
        if metadata.is_empty() {
            return Err(malformed());
        }
        Ok(PreparedTransfer { txid, fee, blob, key, secret, metadata })
    }

    /// Sends a prepared payment, by its metadata. A node that already has the transaction accepts it again.
    pub async fn relay(&self, metadata: &str) -> Result<()> {
        self.rpc.call("relay_tx", json!({"hex": metadata})).await.map(drop_value)
    }

    /// Whether the wallet's node has a transaction, in its pool or its chain. The wallet need not know it: it reads the
    /// bytes from its node, and checks them with the transaction's key.
    pub async fn node_has(&self, txid: &Txid, key: &str, address: &str) -> Result<bool> {
        // Only this call distinguishes a node that does not answer from one that has no such transaction.
        self.refresh().await?;
        let parameters = json!({"txid": txid.to_string(), "tx_key": key, "address": address});
        match self.rpc.call("check_tx_key", parameters).await.map(drop_value) {
            Ok(()) => Ok(true),
            Err(Error::Refused { code: UNKNOWN, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the wallet has a transaction of its own with this id, in the pool or the chain.
    pub async fn knows(&self, txid: &Txid) -> Result<bool> {
        match self.rpc.call("get_transfer_by_txid", json!({"txid": txid.to_string()})).await.map(drop_value) {
            Ok(()) => Ok(true),
            Err(Error::Refused { code: WRONG_TXID, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the cost of a payment, fee included, without sending it.
    pub async fn quote(&self, address: &str, amount: u64) -> Result<u64> {
        let parameters = json!({
            "destinations": [{"address": address, "amount": amount}],
            "account_index": 0, "priority": 0, "do_not_relay": true,
        });
        let RawSent { amount, fee, .. } = self.rpc.call("transfer", parameters).await?;
        Ok(amount.saturating_add(fee))
    }

    /// Makes a proof that a transaction of this wallet paid an address, over a message.
    pub async fn tx_proof(&self, txid: &Txid, address: &str, message: &str) -> Result<String> {
        let parameters = json!({"txid": txid.to_string(), "address": address, "message": message});
        let Signature { signature } = self.rpc.call("get_tx_proof", parameters).await?;
        Ok(signature)
    }

    /// Returns the wallet's judgement of a proof, without its confirmations, which are half a minute old.
    pub async fn check_tx_proof(&self, txid: &Txid, address: &str, message: &str, proof: &str) -> Result<ProofCheck> {
        let parameters = json!({"txid": txid.to_string(), "address": address, "message": message, "signature": proof});
        self.rpc.call("check_tx_proof", parameters).await
    }
}

fn drop_value(_: Value) {}
