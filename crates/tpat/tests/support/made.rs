//! Transactions of a payer without a regular wallet. The network could carry their faults, because nodes read neither
//! `extra` nor the amounts. Signatures are those of another transaction.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT as G;
use curve25519_dalek::{EdwardsPoint, Scalar};
use monero_address::{AddressType, MoneroAddress, Network};
use monero_oxide::ed25519::{Commitment, CompressedPoint, Point};
use monero_oxide::primitives::keccak256;
use monero_oxide::ringct::EncryptedAmount;
use monero_oxide::transaction::{NotPruned, Transaction};

pub(crate) type Made = Transaction<NotPruned>;

/// The private view key of the wallet of these tests, in hexadecimal.
pub(crate) const VIEW_KEY: &str = "0500000000000000000000000000000000000000000000000000000000000000";

/// Returns its primary address.
pub(crate) fn primary() -> String {
    let point = |secret: u64| Point::from(G * Scalar::from(secret));
    MoneroAddress::new(Network::Mainnet, AddressType::Legacy, point(9), point(5)).to_string()
}

/// Makes a transaction of two outputs, of which the first ones pay these addresses. `secret` is its own private key,
/// `nonce` makes it another transaction with the same outputs.
pub(crate) fn made(secret: u64, nonce: u8, payments: &[(&str, u64)]) -> Made {
    let mut transaction = template();
    let secret = Scalar::from(secret);
    let mut keys = Vec::new();
    for (index, (address, amount)) in payments.iter().enumerate() {
        let address = MoneroAddress::from_str_with_unchecked_network(address).expect("an address");
        let (spend, view): (EdwardsPoint, EdwardsPoint) = (address.spend().into(), address.view().into());
        keys.push((spend * secret).compress().0);
        let shared = (view * secret).mul_by_cofactor().compress().0;
        fill(&mut transaction, index, &shared, spend, *amount);
    }
    let extra = &mut transaction.prefix_mut().extra;
    *extra = vec![2, 1, nonce];
    // As wallets do: the key of one address, or an unused one and one more for each output.
    if let [key] = keys[..] {
        extra.push(1);
        extra.extend(key);
    } else {
        extra.push(1);
        extra.extend((G * secret).compress().0);
        extra.extend([4, u8::try_from(keys.len()).expect("few")]);
        extra.extend(keys.concat());
    }
    transaction
}

fn template() -> Made {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tpat/tests/vectors/outproof-single-0.json");
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("json");
    let hex = value["tx"]["as_hex"].as_str().expect("bytes");
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    Transaction::read(&mut bytes.as_slice()).expect("a transaction")
}

fn fill(transaction: &mut Made, index: usize, shared: &[u8; 32], spend: EdwardsPoint, amount: u64) {
    let position = [u8::try_from(index).expect("few")];
    let scalar = Scalar::from_bytes_mod_order(keccak256([shared.as_slice(), &position].concat()));
    let output = &mut transaction.prefix_mut().outputs[index];
    output.key = CompressedPoint::from((G * scalar + spend).compress().0);
    output.view_tag = Some(keccak256([b"view_tag".as_slice(), shared, &position].concat())[0]);
    let pad = keccak256([b"amount".as_slice(), scalar.as_bytes()].concat());
    let mut hidden = amount.to_le_bytes();
    hidden.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
    let mask = Scalar::from_bytes_mod_order(keccak256([b"commitment_mask".as_slice(), scalar.as_bytes()].concat()));
    let commitment = Commitment::new(monero_oxide::ed25519::Scalar::from(mask), amount).commit();
    let Transaction::V2 { proofs: Some(proofs), .. } = transaction else { panic!("version 2") };
    proofs.base.encrypted_amounts[index] = EncryptedAmount::Compact { amount: hidden };
    proofs.base.commitments[index] = commitment.compress();
}
