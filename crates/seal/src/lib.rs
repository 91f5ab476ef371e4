//! Encryption of the login envelope.
//!
//! This is a separate crate, so that the `rsa` crate reaches browsers and clients but never the server, which only
//! decrypts (RUSTSEC-2023-0071 concerns decryption).

mod envelope;
mod rng;

pub use envelope::{Error, seal};
