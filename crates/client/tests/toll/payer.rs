//! A wallet that can break off at each step.

use async_trait::async_trait;
use client::toll::{Payer, Prepared};
use client::{Error, Result};
use parking_lot::Mutex;
use std::path::PathBuf;

/// Where the program ends, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Preparing,
    BeforeSending,
    AfterSending,
    Proving,
}

#[derive(Debug)]
pub struct Wallet {
    pub name: Mutex<String>,
    pub folder: PathBuf,
    pub end: Mutex<Option<End>>,
    prepared: Mutex<u32>,
    /// Transactions, in the order in which they were sent.
    pub sent: Mutex<Vec<String>>,
}

impl Wallet {
    pub fn new(folder: PathBuf) -> Self {
        let (name, end, prepared, sent) =
            (Mutex::new("mine".to_owned()), Mutex::default(), Mutex::default(), Mutex::default());
        Self { name, folder, end, prepared, sent }
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

pub fn proof(txid: &str, address: &str, message: &str) -> String {
    format!("OutProofV2-{txid}-{address}-{message}")
}

#[async_trait]
impl Payer for Wallet {
    async fn name(&self) -> Result<String> {
        Ok(self.name.lock().clone())
    }

    async fn prepare(&self, _: &str, _: u64) -> Result<Prepared> {
        self.ends(End::Preparing)?;
        let mut prepared = self.prepared.lock();
        *prepared += 1;
        Ok(Prepared::new(format!("tx{prepared}"), 30))
    }

    async fn send(&self, prepared: &Prepared) -> Result<()> {
        let kept = super::gate::kept(&self.folder);
        assert!(kept.contains(&prepared.txid), "sent before it was written down: {kept}");
        self.ends(End::BeforeSending)?;
        self.sent.lock().push(prepared.txid.clone());
        self.ends(End::AfterSending)
    }

    async fn sent(&self, txid: &str) -> Result<bool> {
        Ok(self.sent.lock().iter().any(|sent| sent == txid))
    }

    async fn prove(&self, txid: &str, address: &str, message: &str) -> Result<String> {
        self.ends(End::Proving)?;
        Ok(proof(txid, address, message))
    }
}
