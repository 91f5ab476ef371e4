//! Helpers of these tests.

use passkey::PublicKey;

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("32 bytes")
}

/// The public key at the end of an attestation object whose last member is `authData`: the shortest end that is a key.
pub(crate) fn key_in(attestation_object: &[u8]) -> PublicKey {
    let mut ends = (0..attestation_object.len()).rev().map(|at| &attestation_object[at..]);
    ends.find_map(|end| PublicKey::from_cose(end).ok()).expect("a key")
}
