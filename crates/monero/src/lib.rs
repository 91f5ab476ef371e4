#![doc = include_str!("../README.md")]

mod error;
mod height_tracker;
mod node;
mod responses;
mod rpc;
mod seen;
mod verifier;
mod wallet;

pub use error::Error;
pub use node::{Block, BlockPosition, Node, NodeInfo, NodeTransaction};
pub use rpc::RpcLimits;
pub use verifier::{
    ClaimResult, FallbackVerifier, NodeVerifier, PaymentClaim, VerifiedPayment, Verifier, WalletVerifier,
};
pub use wallet::{Balance, CreatedWallet, PreparedTransfer, ProofCheck, SentTransfer, Wallet};

pub type Result<T, E = Error> = std::result::Result<T, E>;
