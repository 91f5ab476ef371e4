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
mod replay_cache;
mod revocations;
mod token;
mod verifier;

pub use access::{AccessToken, Confirmation, TYP};
pub use clock::Clock;
pub use domain::thumbprint::Thumbprint;
pub use domain::{UnixMs, UnixSeconds};
pub use error::TokenError;
pub use fetch::FetchError;
pub use guard::{Guard, IssuerSettings};
pub use jose::{Algorithm, PublicKey};
pub use jwks::Jwks;
pub use key::Keys;
pub use layer::{GuardLayer, Guarded};
pub use presented::{MalformedAuthorization, presented};
pub use refusal::{Refusal, RefusalReason, Scheme};
pub use replay_cache::{ReplayCache, hash as proof_hash};
pub use revocations::{OutagePolicy, Revocations};
pub use token::{ExpectedClaims, UnverifiedToken, verify};
pub use verifier::Verifier;
