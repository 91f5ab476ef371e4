//! Verifies payments with a node, or with a node and a wallet.

use crate::{Error, Node, Result, Wallet};
use async_trait::async_trait;
use std::sync::Arc;
use tpat::confirmations::confirmations;
use tpat::{Address, OutProof, ProofRefusal, ReceivedPayment, Txid, verify};

/// A client's claim of a payment. Address and message are the challenge's, never the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentClaim {
    pub txid: Txid,
    pub address: Address,
    pub message: String,
    pub proof: OutProof,
}

/// The result of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimResult {
    /// No such transaction in pool or chain, now.
    NotFound,
    /// The proof shows no payment.
    Refused(ProofRefusal),
    Paid(VerifiedPayment),
}

/// A payment in pool or chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPayment {
    pub received: ReceivedPayment,
    /// The number of its block; `None`: in the pool.
    pub block: Option<u64>,
    /// Zero in the pool.
    pub confirmations: u64,
    /// Blocks of the chain when the node was asked.
    pub height: u64,
    /// The time at which the node first saw it, by its own statement, in unix seconds.
    pub since: Option<u64>,
    pub double_spend_seen: bool,
}

/// A verifier of claims. An error means that no node or wallet answered, and says nothing about the claim.
#[async_trait]
pub trait Verifier: Send + Sync + std::fmt::Debug {
    async fn verify(&self, claim: &PaymentClaim) -> Result<ClaimResult>;

    /// Checks the program that verifies payments besides the node. Without one, the watcher's check of the node is
    /// sufficient.
    ///
    /// # Errors
    /// It does not answer, so no payment can be verified.
    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A verifier that reads the transaction from a node and verifies the proof itself.
#[derive(Debug)]
pub struct NodeVerifier {
    node: Arc<Node>,
}

impl NodeVerifier {
    pub fn new(node: Arc<Node>) -> Self {
        Self { node }
    }
}

#[async_trait]
impl Verifier for NodeVerifier {
    async fn verify(&self, claim: &PaymentClaim) -> Result<ClaimResult> {
        // The chain is queried first: a block that is added in between makes a payment look younger, never older.
        let info = self.node.info_in_step().await?;
        let Some(seen) = self.node.transaction(&claim.txid).await? else { return Ok(ClaimResult::NotFound) };
        let (block, since, double_spend_seen) = (seen.block, seen.since, seen.double_spend_seen);
        let height = info.height;
        // One block may have been added since the chain was queried.
        if block.is_some_and(|block| block > height) {
            return Err(self.node.contradicts());
        }
        let claim = claim.clone();
        let judged = tokio::task::spawn_blocking(move || {
            verify(&seen.blob, &claim.txid, &claim.address, claim.message.as_bytes(), &claim.proof)
        });
        Ok(match judged.await.map_err(|_| Error::Ending)? {
            Ok(received) => {
                let confirmations = confirmations(block, height);
                ClaimResult::Paid(VerifiedPayment { received, block, confirmations, height, since, double_spend_seen })
            }
            Err(refusal) => ClaimResult::Refused(refusal),
        })
    }
}

/// A verifier that uses the first of several that answers.
#[derive(Debug)]
pub struct FallbackVerifier(Vec<Box<dyn Verifier>>);

impl FallbackVerifier {
    pub fn new(verifiers: Vec<Box<dyn Verifier>>) -> Self {
        Self(verifiers)
    }
}

#[async_trait]
impl Verifier for FallbackVerifier {
    async fn verify(&self, claim: &PaymentClaim) -> Result<ClaimResult> {
        let mut last = Error::Ending;
        for verifier in &self.0 {
            match verifier.verify(claim).await {
                Err(error) if error.is_passing() => last = error,
                found => return found,
            }
        }
        Err(last)
    }

    async fn check(&self) -> Result<()> {
        let mut last = Error::Ending;
        for verifier in &self.0 {
            match verifier.check().await {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// A verifier that also asks a wallet, and accepts a payment only if both agree. It is for operators who prefer the
/// reference code. Any wallet works, even an empty one. It answers about 20 requests a second.
#[derive(Debug)]
pub struct WalletVerifier {
    own: NodeVerifier,
    wallet: Arc<Wallet>,
}

impl WalletVerifier {
    pub fn new(node: Arc<Node>, wallet: Arc<Wallet>) -> Self {
        Self { own: NodeVerifier::new(node), wallet }
    }
}

#[async_trait]
impl Verifier for WalletVerifier {
    async fn verify(&self, claim: &PaymentClaim) -> Result<ClaimResult> {
        let finding = self.own.verify(claim).await?;
        let ClaimResult::Paid(payment) = &finding else { return Ok(finding) };
        let (address, proof) = (claim.address.to_string(), claim.proof.to_string());
        let checked = self.wallet.check_tx_proof(&claim.txid, &address, &claim.message, &proof).await?;
        if !checked.good || checked.received != payment.received.total {
            return Err(Error::Disagreement);
        }
        Ok(finding)
    }
    async fn check(&self) -> Result<()> {
        self.wallet.version().await.map(drop)
    }
}
