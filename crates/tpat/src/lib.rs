#![doc = include_str!("../README.md")]

mod address;
pub mod amount;
mod binding;
pub mod challenge;
pub mod confirmations;
pub mod credential;
mod extra;
pub mod header;
mod hex;
mod keccak;
pub mod mac;
pub mod payment;
pub mod price;
mod proof;
mod prove;
mod refusal;
mod scan;
mod subaddress;
mod token;
mod transaction;
mod verify;

pub use address::{Address, InvalidAddress};
pub use binding::Binding;
pub use challenge::Challenge;
pub use domain::thumbprint::Thumbprint;
pub use proof::{InvalidProof, OutProof};
pub use prove::{InvalidTxKey, TxKey, prove};
pub use refusal::ProofRefusal;
pub use scan::WatchedAddresses;
pub use subaddress::{InvalidViewKey, ViewPair};
pub use token::{Token, TokenClass};
pub use transaction::{LONGEST, Transaction, Txid};
pub use verify::{Output, ReceivedPayment, verify};

/// Unix seconds, as in this protocol's parameters.
pub type UnixS = u64;
