//! A simulated wallet that can break off at each step, and the network that it sends to.

use async_trait::async_trait;
use client::toll::{Offer, OpenPayment, Payer, PreparedPayment, Secret};
use client::{Error, Result};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;

/// The step at which the program ends, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Preparing,
    BeforeSending,
    AfterSending,
    Asking,
}

/// Transactions that nodes have, in their pool or their chain.
pub(crate) type Network = Arc<Mutex<Vec<String>>>;

#[derive(Debug)]
pub(crate) struct Wallet {
    pub name: Mutex<String>,
    pub folder: PathBuf,
    pub end: Mutex<Option<End>>,
    /// Whether its node refuses every transaction.
    pub refused: Mutex<bool>,
    pub network: Network,
    prepared: Mutex<u32>,
    /// Each transaction that was ever sent, once.
    pub sent: Mutex<Vec<String>>,
}

impl Wallet {
    pub(crate) fn new(folder: PathBuf, network: Network) -> Self {
        let (name, end, refused) = (Mutex::new("mine".to_owned()), Mutex::default(), Mutex::default());
        Self { name, folder, end, refused, network, prepared: Mutex::default(), sent: Mutex::default() }
    }

    fn ends(&self, at: End) -> Result<()> {
        let mut end = self.end.lock();
        if *end == Some(at) {
            *end = None;
            return Err(Error::Random);
        }
        Ok(())
    }
}

pub(crate) fn proof(txid: &str, address: &str, message: &str) -> String {
    format!("OutProofV2-{txid}-{address}-{message}")
}

#[async_trait]
impl Payer for Wallet {
    async fn name(&self) -> Result<String> {
        Ok(self.name.lock().clone())
    }

    async fn prepare(&self, offer: &Offer) -> Result<PreparedPayment> {
        self.ends(End::Preparing)?;
        let mut prepared = self.prepared.lock();
        *prepared += 1;
        let txid = format!("tx{prepared}");
        let (key, signed) = (Secret::from(format!("key of {txid}")), Secret::from(format!("signed {txid}")));
        Ok(PreparedPayment { proof: proof(&txid, &offer.address, &offer.message()), txid, fee: 30, key, signed })
    }

    async fn send(&self, signed: &Secret) -> Result<()> {
        let txid = signed.expose().strip_prefix("signed ").unwrap().to_owned();
        let kept = super::gate::kept(&self.folder);
        for needed in [signed.expose(), &format!("key of {txid}"), &format!("OutProofV2-{txid}")] {
            assert!(kept.contains(needed), "sent before {needed} was written down: {kept}");
        }
        self.ends(End::BeforeSending)?;
        if *self.refused.lock() {
            let (endpoint, message) = ("the wallet".to_owned(), "Failed to commit tx.".to_owned());
            return Err(monero::Error::Refused { endpoint, code: -4, message }.into());
        }
        self.network.lock().push(txid.clone());
        let mut sent = self.sent.lock();
        if !sent.contains(&txid) {
            sent.push(txid);
        }
        self.ends(End::AfterSending)
    }

    async fn is_known(&self, payment: &OpenPayment) -> Result<bool> {
        self.ends(End::Asking)?;
        Ok(self.network.lock().contains(&payment.txid))
    }

    async fn prove(&self, payment: &OpenPayment) -> Result<Option<String>> {
        let known = self.network.lock().contains(&payment.txid);
        Ok(known.then(|| proof(&payment.txid, &payment.offer.address, &payment.offer.message())))
    }
}
