//! Proofs of possession (RFC 9449) at this server: checks and nonces.

pub(crate) use verify::dpop::{HEADER, NONCE_HEADER, Proof, of_token, presented, token_hash, verify};
pub(crate) use verify::nonce::REMEMBERED_MS as PROOF_REMEMBERED_MS;
