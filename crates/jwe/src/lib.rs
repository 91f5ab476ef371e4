#![doc = include_str!("../README.md")]

mod error;
mod kdf;
mod key;
mod open;
mod parameters;
mod seal;

pub use error::Error;
pub use key::{PrivateKey, check_public, thumbprint};
pub use open::{Sealed, parse};
pub use parameters::{ALG, ENC};
pub use seal::{Random, seal};
