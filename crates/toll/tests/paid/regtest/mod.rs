//! With a real monerod and two real wallets.

mod amounts;
mod attacks;
mod followed;
mod life;
mod node;
mod reorganised;

use crate::support::{Key, Reply, World, bundle, terms};
use regtest::{Paid, Rig};
use toll::terms::{Confirmations, Terms};
use wire::toll::Demand;

/// Of a chain for tests a fee is 2,600,000,000 piconero.
const PRICE: u64 = 2_000_000_000;

/// 100 requests for the price; from the pool below four times the price.
fn selling() -> Terms {
    let step = |from, need| Confirmations { from, need };
    Terms { bundles: vec![bundle(PRICE, 100)], confirmations: vec![step(0, 0), step(4 * PRICE, 1)], ..terms() }
}

/// As [`selling`], and the price needs a block.
fn careful() -> Terms {
    Terms { confirmations: vec![Confirmations { from: 0, need: 1 }], ..selling() }
}

fn shown(paid: &Paid) -> String {
    format!("{}:{}", paid.txid, paid.proof)
}

async fn pay(rig: &Rig, demand: &Demand, amount: u64) -> Paid {
    rig.pay(&demand.address, amount, &demand.message).await.unwrap()
}

async fn redeem(world: &World, paid: &Paid, demand: &Demand, key: &Key) -> Reply {
    world.client.redeem(&shown(paid), &demand.challenge, Some(key)).await
}

/// Mines, and lets the watcher see it.
async fn mine(rig: &Rig, world: &World, blocks: u64) {
    rig.mine(blocks).await.unwrap();
    world.booth.look_at_chain().await.unwrap();
}
