//! The sealing half of the login envelope.
//!
//! A crate of its own, so that the `rsa` crate reaches browsers and clients and never the server,
//! which only opens envelopes (RUSTSEC-2023-0071 concerns decryption).

mod envelope;
mod rng;

pub use envelope::{Error, seal};
