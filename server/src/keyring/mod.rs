//! The server's keys: made at the first start, stored encrypted, cached in memory, replaced while it runs.

mod envelope;
mod error;
mod macs;
mod ring;
mod serving;
mod signing;
mod vault;

pub use envelope::EnvelopeKey;
pub use error::KeyringError;
pub use jose::Algorithm;
pub use jwe::thumbprint;
pub use macs::{ALG as MAC_ALG, Digests, MacKeys};
pub use ring::Keyring;
pub use signing::SigningKey;
pub use vault::{Vault, rules};

use zeroize::Zeroizing;

/// A newly made key.
struct Made {
    kid: String,
    alg: &'static str,
    secret: Zeroizing<Vec<u8>>,
}
