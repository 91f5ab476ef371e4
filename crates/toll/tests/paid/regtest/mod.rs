//! With a real monerod and two real wallets.

mod amounts;
mod attacks;
mod followed;
mod life;
mod node;
mod reorganised;

use crate::support::{Key, Reply, World, bundle, pricing};
use regtest::{ProvenPayment, RegtestNetwork};
use toll::pricing::{ConfirmationStep, Pricing};
use wire::toll::Offer;

/// The price in piconero. On a chain for tests, a fee is 2,600,000,000.
const PRICE: u64 = 2_000_000_000;

/// Sells 100 requests for the price. Below four times the price the pool is sufficient.
fn selling() -> Pricing {
    let step = |from, need| ConfirmationStep { from, need };
    Pricing { bundles: vec![bundle(PRICE, 100)], confirmations: vec![step(0, 0), step(4 * PRICE, 1)], ..pricing() }
}

/// As [`selling`], but the price needs a block.
fn careful() -> Pricing {
    Pricing { confirmations: vec![ConfirmationStep { from: 0, need: 1 }], ..selling() }
}

fn shown(paid: &ProvenPayment) -> String {
    format!("{}:{}", paid.txid, paid.proof)
}

async fn pay(regtest: &RegtestNetwork, demand: &Offer, amount: u64) -> ProvenPayment {
    regtest.pay(&demand.address, amount, &demand.message).await.unwrap()
}

async fn redeem(world: &World, paid: &ProvenPayment, demand: &Offer, key: &Key) -> Reply {
    world.client.redeem(&shown(paid), &demand.challenge, Some(key)).await
}

/// Mines blocks, and lets the watcher see them.
async fn mine(regtest: &RegtestNetwork, world: &World, blocks: u64) {
    regtest.mine(blocks).await.unwrap();
    world.payments.look_at_chain().await.unwrap();
}
