mod browser;
mod chain;
mod client;
mod front;
mod key;
#[path = "../../../../tpat/tests/support/made.rs"]
pub(crate) mod made;
mod nginx;
mod proofs;
mod world;

pub(crate) use browser::Browser;
pub(crate) use chain::{Chain, NodeState, Tx};
pub(crate) use client::{Client, Reply};
pub(crate) use front::{Front, Kind as FrontKind};
pub(crate) use key::Key;
pub(crate) use nginx::Nginx;
pub(crate) use proofs::{PROOFS, txid};
pub(crate) use world::{OLD, PRICE, World, bundle, entry, pricing, route};
