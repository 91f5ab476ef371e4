#![doc = include_str!("../README.md")]

mod authenticator_data;
mod ceremony;
mod client_data;
mod error;
mod public_key;

pub use authenticator_data::AuthenticatorState;
pub use ceremony::{
    Assertion, NewPasskey, Registration, verify_assertion, verify_conditional_registration, verify_registration,
};
pub use client_data::Expected;
pub use error::PasskeyError;
pub use public_key::PublicKey;

/// The longest credential id in bytes (section 5.8.3).
pub const MAX_CREDENTIAL_ID: usize = 1023;
