//! The server's own keys: made at first start, stored encrypted, held in memory, replaced while it runs.

mod envelope;
mod error;
mod held;
mod macs;
mod ring;
mod signing;
mod vault;

pub use envelope::EnvelopeKey;
pub use error::Error;
pub use jose::Algorithm;
pub use jwe::thumbprint;
pub use macs::{ALG as MAC_ALG, Digests, Macs};
pub use ring::Keyring;
pub use signing::SigningKey;
pub use vault::{Vault, rules};

use zeroize::Zeroizing;

/// A key that was made just now.
struct Made {
    kid: String,
    alg: &'static str,
    secret: Zeroizing<Vec<u8>>,
}
