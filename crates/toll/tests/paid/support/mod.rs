mod browser;
mod chain;
mod client;
mod front;
mod key;
#[path = "../../../../tpat/tests/support/made.rs"]
pub mod made;
mod nginx;
mod proofs;
mod world;

pub use browser::Browser;
pub use chain::{Chain, Mood, Tx};
pub use client::{Client, Reply};
pub use front::{Front, Kind as FrontKind};
pub use key::Key;
pub use nginx::Nginx;
pub use proofs::{PROOFS, txid};
pub use world::{OLD, PRICE, World, bundle, entry, pricing, route};
