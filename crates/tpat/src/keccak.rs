//! Keccak-256 over several parts, and to a scalar, as in Monero (`crypto::cn_fast_hash`, `hash_to_scalar`).

use curve25519_dalek::Scalar;
use monero_oxide::io::VarInt;
use monero_oxide::primitives::keccak256;

pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    keccak256(parts.concat())
}

pub(crate) fn scalar(parts: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order(hash(parts))
}

/// Encodes a number in groups of seven bits, the lowest first.
pub(crate) fn varint(number: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2);
    VarInt::write(&number, &mut bytes).map_or_else(|_| Vec::new(), |()| bytes)
}
