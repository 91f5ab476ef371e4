#![doc = include_str!("../README.md")]

pub mod dpop;
mod fetch;
mod jwks;
mod key;
mod signed;
mod token;

pub use fetch::FetchError;
pub use jwks::Jwks;
pub use key::{Algorithm, Key, Keys};
pub use token::{Error, Expected, Verifier, verify};
