//! A transaction's bytes, trusted only if they hash to the requested id.

use crate::extra::{self, TxKeys};
use crate::hex;
use crate::refusal::ProofRefusal;
use monero_oxide::ringct::{EncryptedAmount, RctType};
use monero_oxide::transaction::{Input, NotPruned, Timelock, Transaction as Parsed};

/// Maximum length of a transaction in bytes. Those of wallets have a few thousand.
pub const LONGEST: usize = 150_000;

/// A transaction's hash: 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Txid(pub [u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a transaction id is 64 hexadecimal digits in lower case")]
pub struct InvalidTxid;

impl std::str::FromStr for Txid {
    type Err = InvalidTxid;

    fn from_str(text: &str) -> Result<Self, InvalidTxid> {
        hex::read(text).map(Self).ok_or(InvalidTxid)
    }
}

impl std::fmt::Display for Txid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        hex::write(&self.0, f)
    }
}

impl std::fmt::Debug for Txid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Txid({self})")
    }
}

/// The required parts of a current transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub unlock_time: u64,
    pub(crate) keys: TxKeys,
    pub(crate) outputs: Vec<ConcealedOutput>,
}

/// An output whose owner is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConcealedOutput {
    pub key: [u8; 32],
    pub view_tag: u8,
    pub amount: [u8; 8],
    pub commitment: [u8; 32],
}

impl Transaction {
    /// Parses complete, unpruned bytes.
    ///
    /// # Errors
    /// [`ProofRefusal`]: invalid, of another hash, of another kind than wallets make today (version 2, CLSAG with
    /// Bulletproofs+, view tags), or a coinbase transaction.
    pub fn read(blob: &[u8], txid: &Txid) -> Result<Self, ProofRefusal> {
        if blob.len() > LONGEST {
            return Err(ProofRefusal::TooLarge);
        }
        let mut rest = blob;
        let parsed = Parsed::<NotPruned>::read(&mut rest).map_err(|_| ProofRefusal::Unreadable)?;
        if !rest.is_empty() {
            return Err(ProofRefusal::Unreadable);
        }
        if parsed.hash() != txid.0 {
            return Err(ProofRefusal::OtherTransaction);
        }
        let Parsed::V2 { prefix, proofs } = parsed else { return Err(ProofRefusal::Version) };
        if prefix.inputs.iter().any(|input| matches!(input, Input::Gen(_))) {
            return Err(ProofRefusal::Coinbase);
        }
        let proofs = proofs.filter(|proofs| proofs.rct_type() == RctType::ClsagBulletproofPlus);
        let base = proofs.ok_or(ProofRefusal::Version)?.base;
        let outputs = prefix.outputs.iter().zip(&base.encrypted_amounts).zip(&base.commitments);
        let outputs: Option<Vec<_>> = outputs
            .map(|((output, amount), commitment)| {
                let EncryptedAmount::Compact { amount } = *amount else { return None };
                let (key, commitment) = (output.key.to_bytes(), commitment.to_bytes());
                Some(ConcealedOutput { key, view_tag: output.view_tag?, amount, commitment })
            })
            .collect();
        let unlock_time = match prefix.additional_timelock {
            Timelock::None => 0,
            Timelock::Block(block) => block as u64,
            Timelock::Time(time) => time,
        };
        let outputs = outputs.ok_or(ProofRefusal::Version)?;
        Ok(Self { unlock_time, keys: extra::read(&prefix.extra), outputs })
    }
}
