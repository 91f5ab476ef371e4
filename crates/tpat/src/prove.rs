//! Makes a proof of payment from a transaction's secret keys (`wallet2::get_tx_proof`, `crypto::generate_tx_proof`).

use crate::address::Address;
use crate::keccak;
use crate::proof::{OutProof, ProofPart};
use crate::transaction::Txid;
use crate::{hex, proof};
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::{EdwardsPoint, Scalar};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Secret keys of one transaction, made by its wallet for it alone: the transaction's key, and one for each output that
/// has one. They cannot spend; they prove what the transaction paid to any address.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TxKey(Vec<Scalar>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a transaction key")]
pub struct InvalidTxKey;

impl std::str::FromStr for TxKey {
    type Err = InvalidTxKey;

    /// Parses the wallets' format: 64 hexadecimal digits for each key.
    fn from_str(text: &str) -> Result<Self, InvalidTxKey> {
        let (keys, rest) = text.as_bytes().as_chunks::<64>();
        if keys.is_empty() || keys.len() > proof::MOST || !rest.is_empty() {
            return Err(InvalidTxKey);
        }
        let key = |digits: &[u8; 64]| {
            let bytes = Zeroizing::new(hex::read(std::str::from_utf8(digits).ok()?)?);
            Scalar::from_canonical_bytes(*bytes).into_option().filter(|key| *key != Scalar::ZERO)
        };
        keys.iter().map(key).collect::<Option<_>>().map(Self).ok_or(InvalidTxKey)
    }
}

impl std::fmt::Debug for TxKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TxKey({} keys)", self.0.len())
    }
}

/// Proves over a message that the transaction paid the address. `random` must be new for each proof. Two proofs with
/// one nonce and different messages would reveal the key, so the nonce depends on all inputs.
pub fn prove(txid: &Txid, address: &Address, message: &[u8], key: &TxKey, random: &[u8; 32]) -> OutProof {
    let prefix = keccak::hash(&[&txid.0, message]);
    let part = |(index, key): (usize, &Scalar)| {
        let (secret_key, place) = (Zeroizing::new(key.to_bytes()), keccak::varint(index));
        let seed: &[&[u8]] = &[b"nonce of a proof", random, &place, secret_key.as_slice(), &prefix];
        let nonce = Zeroizing::new(keccak::scalar(seed));
        sign(&prefix, address, key, &nonce)
    };
    OutProof(key.0.iter().enumerate().map(part).collect())
}

/// Signs one part: `c` as in [`crate::verify`] with `X = kB` (`kG` for a primary address) and `Y = kA`; `r = k - c *
/// key`.
fn sign(prefix: &[u8; 32], address: &Address, key: &Scalar, nonce: &Scalar) -> ProofPart {
    let (view, spend) = (address.view(), address.spend());
    let (base, named) =
        if address.is_subaddress() { (spend, spend.compress().0) } else { (ED25519_BASEPOINT_POINT, [0; 32]) };
    let secret = view * key;
    let bytes = |point: EdwardsPoint| point.compress().0;
    let c = keccak::scalar(&[
        prefix,
        &bytes(secret),
        &bytes(base * nonce),
        &bytes(view * nonce),
        &keccak::hash(&[b"TXPROOF_V2"]),
        &bytes(base * key),
        &bytes(view),
        &named,
    ]);
    ProofPart { secret, c, r: nonce - c * key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::is_signed;

    const SUBADDRESS: &str =
        "87omSJnYpMKZyhxRpc2gy1PNJt8ZdGdfGBM8P8EGBdXAe3qajRsW6hwjZrqkpGzNUGTAE93S9ktpRXFDyt9fdQzTFPZufhV";
    const PRIMARY: &str =
        "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A";

    fn key(digit: char) -> TxKey {
        format!("{digit}{}01{digit}{}01", "3".repeat(61), "5".repeat(61)).parse().unwrap()
    }

    #[test]
    fn a_proof_verifies_for_its_transaction_message_and_address_alone() {
        let txid: Txid = "ab".repeat(32).parse().unwrap();
        for address in [SUBADDRESS, PRIMARY] {
            let address: Address = address.parse().unwrap();
            let base = if address.is_subaddress() { address.spend() } else { ED25519_BASEPOINT_POINT };
            let key = key('1');
            let proof = prove(&txid, &address, b"tpat1:message", &key, &[7; 32]);
            assert_eq!(proof.to_string().parse::<OutProof>().unwrap(), proof);
            let prefix = |message: &[u8]| keccak::hash(&[&txid.0, message]);
            for (part, key) in proof.0.iter().zip(&key.0) {
                assert!(is_signed(&prefix(b"tpat1:message"), &(base * key), &address, part));
                assert!(!is_signed(&prefix(b"tpat1:other"), &(base * key), &address, part));
                assert!(!is_signed(&prefix(b"tpat1:message"), &(base * Scalar::ONE), &address, part));
            }
        }
    }

    #[test]
    fn nonces_differ_wherever_anything_differs() {
        let (txid, address): (Txid, Address) = ("ab".repeat(32).parse().unwrap(), SUBADDRESS.parse().unwrap());
        let key = key('1');
        let one = prove(&txid, &address, b"one", &key, &[7; 32]);
        assert_ne!(one, prove(&txid, &address, b"one", &key, &[8; 32]));
        // One nonce under two messages would reveal the key: `(r1 - r2) / (c2 - c1)`.
        let two = prove(&txid, &address, b"two", &key, &[7; 32]);
        let leaked = (one.0[0].r - two.0[0].r) * (two.0[0].c - one.0[0].c).invert();
        assert_ne!(leaked, key.0[0]);
    }

    #[test]
    fn other_texts_are_no_keys() {
        let good = "1".repeat(62) + "01";
        assert!(good.parse::<TxKey>().is_ok());
        for text in ["", "00", &"0".repeat(64), &"f".repeat(64), &(good.clone() + "1"), &good.repeat(18)] {
            assert!(text.parse::<TxKey>().is_err(), "{text}");
        }
        assert!(!format!("{:?}", key('1')).contains("33"));
    }
}
