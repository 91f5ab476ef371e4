mod chain;
mod client;
mod key;
mod proofs;
mod world;

pub use chain::{Chain, Mood, Tx};
pub use client::{Client, Reply};
pub use key::Key;
pub use proofs::{PROOFS, txid};
pub use world::{PRICE, World, bundle, entry, terms};
