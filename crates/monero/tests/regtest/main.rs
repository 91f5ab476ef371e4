//! Tests with a real monerod and two real wallets.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod differential;
mod kinds;
mod life;

use monero::{NodeVerifier, PaymentClaim, Verifier, WalletVerifier};
use regtest::{ProvenPayment, RegtestNetwork};

/// Returns both kinds of verifiers.
fn verifiers(regtest: &RegtestNetwork) -> [Box<dyn Verifier>; 2] {
    let wallet = WalletVerifier::new(regtest.node.clone(), regtest.merchant.clone());
    [Box::new(NodeVerifier::new(regtest.node.clone())), Box::new(wallet)]
}

fn claim(paid: &ProvenPayment, address: &str, message: &str) -> PaymentClaim {
    PaymentClaim {
        txid: paid.txid,
        address: address.parse().expect("an address"),
        message: message.to_owned(),
        proof: paid.proof.parse().expect("a proof"),
    }
}
