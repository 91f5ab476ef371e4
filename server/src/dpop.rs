//! Proofs of possession (RFC 9449) at this server: the check, and nonces of our own.

pub use verify::dpop::{HEADER, NONCE_HEADER, Proof, presented, token_hash, verify};
pub use verify::nonce::{is_fresh as nonce_is_fresh, made_at as nonce_made_at, make as nonce};
