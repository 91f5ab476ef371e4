//! Signatures of JSON Web Tokens (RFC 7515, RFC 7519): `jsonwebtoken` over aws-lc-rs, with keys that are parsed once.
//!
//! The key determines the algorithm, never the header of a token.

mod algorithm;
mod error;
mod key_pair;
mod provider;
mod public_key;
mod registry;

pub use algorithm::Algorithm;
pub use error::Error;
pub use key_pair::KeyPair;
pub use public_key::PublicKey;
