#![doc = include_str!("../README.md")]

mod address;
pub mod amount;
pub mod challenge;
pub mod confirmations;
pub mod credential;
mod extra;
pub mod header;
mod hex;
mod keccak;
pub mod payment;
pub mod possession;
pub mod price;
mod proof;
mod prove;
mod refusal;
mod scan;
mod subaddress;
mod token;
mod transaction;
mod verify;

pub use address::{Address, NotAnAddress};
pub use challenge::Challenge;
pub use proof::{NotAProof, OutProof};
pub use prove::{NotATxKey, TxKey, prove};
pub use refusal::Refusal;
pub use scan::Watched;
pub use subaddress::{NotAViewKey, ViewPair};
pub use token::{Class, Token};
pub use transaction::{LONGEST, Transaction, Txid};
pub use verify::{Output, Received, verify};

/// Unix seconds, as in this protocol's parameters.
pub type UnixS = u64;
