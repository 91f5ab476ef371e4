//! Against a real monerod and two real wallets.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod differential;
mod kinds;
mod life;

use monero::{Claim, OwnVerifier, Verifier, WalletVerifier};
use regtest::{Paid, Rig};

/// The two ways of verifying.
fn verifiers(rig: &Rig) -> [Box<dyn Verifier>; 2] {
    let wallet = WalletVerifier::new(rig.node.clone(), rig.merchant.clone());
    [Box::new(OwnVerifier::new(rig.node.clone())), Box::new(wallet)]
}

fn claim(paid: &Paid, address: &str, message: &str) -> Claim {
    Claim {
        txid: paid.txid,
        address: address.parse().expect("an address"),
        message: message.to_owned(),
        proof: paid.proof.parse().expect("a proof"),
    }
}
