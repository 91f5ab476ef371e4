//! The header members that this crate uses.

use crate::Error;
use serde::Deserialize;
use wire::jose::{self, Absent};
use wire::jwk::EcJwk;

pub const ALG: &str = "ECDH-ES+A256KW";
pub const ENC: &str = "A256GCM";

#[derive(Deserialize)]
struct Parameters {
    alg: String,
    enc: String,
    epk: EcJwk,
    // These would change the decryption (RFC 7516, section 4.1; RFC 7518, section 4.6.1).
    #[serde(default, rename = "zip")]
    _zip: Absent,
    #[serde(default, rename = "apu")]
    _apu: Absent,
    #[serde(default, rename = "apv")]
    _apv: Absent,
}

/// Returns the ephemeral key of a header that requires nothing unsupported.
pub(crate) fn ephemeral_key(header: &[u8]) -> Result<EcJwk, Error> {
    let Parameters { alg, enc, epk, .. } = jose::header(header).map_err(|_| Error::Header)?;
    if alg == ALG && enc == ENC { Ok(epk) } else { Err(Error::Header) }
}
