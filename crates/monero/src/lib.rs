#![doc = include_str!("../README.md")]

mod answers;
mod error;
mod node;
mod rpc;
mod seen;
mod steady;
mod verifier;
mod wallet;

pub use error::Error;
pub use node::{Block, Info, Node, Place, Seen};
pub use rpc::Limits;
pub use verifier::{Claim, Finding, FirstOf, OwnVerifier, Payment, Verifier, WalletVerifier};
pub use wallet::{Balance, Checked, Created, Prepared, Sent, Wallet};

pub type Result<T, E = Error> = std::result::Result<T, E>;
