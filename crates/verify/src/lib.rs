#![doc = include_str!("../README.md")]

mod access;
mod clock;
pub mod dpop;
mod error;
mod fetch;
mod guard;
mod jwks;
mod key;
mod layer;
pub mod nonce;
mod presented;
mod refusal;
mod revocations;
mod seen;
mod token;
mod verifier;

pub use access::{AccessToken, Confirmation, TYP};
pub use clock::Clock;
pub use error::Error;
pub use fetch::FetchError;
pub use guard::{Guard, Issuer};
pub use jose::{Algorithm, PublicKey};
pub use jwks::Jwks;
pub use key::Keys;
pub use layer::{GuardLayer, Guarded};
pub use presented::{Malformed, presented};
pub use refusal::{Reason, Refusal, Scheme};
pub use revocations::{Outage, Revocations};
pub use seen::{SeenProofs, hash as proof_hash};
pub use token::{Expected, Unverified, verify};
pub use verifier::Verifier;
