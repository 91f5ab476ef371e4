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
pub use macs::Macs;
pub use ring::Keyring;
pub use signing::{Algorithm, SigningKey};
pub use vault::{Vault, rules};

use domain::encoding::{base64url, sha256};
use wire::jwk::EcJwk;
use zeroize::Zeroizing;

/// JWK thumbprint (RFC 7638).
pub fn thumbprint(key: &EcJwk) -> String {
    base64url(&sha256(key.thumbprint_input().as_bytes()))
}

/// A key that was made just now.
struct Made {
    kid: String,
    alg: &'static str,
    secret: Zeroizing<Vec<u8>>,
}
