//! The header's members that this crate acts on.

use crate::Error;
use serde::Deserialize;
use serde::de::IgnoredAny;
use wire::jwk::EcJwk;

pub const ALG: &str = "ECDH-ES+A256KW";
pub const ENC: &str = "A256GCM";

#[derive(Deserialize)]
struct Parameters {
    alg: String,
    enc: String,
    epk: EcJwk,
    // These would change how it is opened (RFC 7516, section 4.1; RFC 7518, section 4.6.1).
    crit: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
    apu: Option<IgnoredAny>,
    apv: Option<IgnoredAny>,
}

/// The ephemeral key of a header that asks for what this crate does, and for nothing else.
pub fn ephemeral_key(header: &[u8]) -> Result<EcJwk, Error> {
    let Parameters { alg, enc, epk, crit, zip, apu, apv } =
        serde_json::from_slice(header).map_err(|_| Error::Header)?;
    let more = crit.is_some() || zip.is_some() || apu.is_some() || apv.is_some();
    if alg == ALG && enc == ENC && !more { Ok(epk) } else { Err(Error::Header) }
}
