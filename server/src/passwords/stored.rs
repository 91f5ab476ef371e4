//! Password hashes as they are stored: PHC strings.

use argon2::{Params, Version};
use phc::{Output, PasswordHash, Salt};

/// A hash as it is stored.
pub struct Stored {
    pub params: Params,
    pub salt: Vec<u8>,
    pub expected: Vec<u8>,
}

impl Stored {
    /// Reads a PHC string. Returns `None` if it is not for argon2id or lacks a part.
    pub fn read(phc: &str) -> Option<Self> {
        let hash = PasswordHash::new(phc).ok().filter(|hash| hash.algorithm.as_str() == "argon2id")?;
        let params = Params::try_from(&hash).ok()?;
        Some(Self { params, salt: hash.salt?.as_ref().to_vec(), expected: hash.hash?.as_bytes().to_vec() })
    }
}

/// Writes a PHC string. Returns `None` if the length of salt or output is invalid in PHC.
pub fn write(params: &Params, salt: &[u8], output: &[u8]) -> Option<String> {
    let hash = PasswordHash {
        algorithm: phc::Ident::new("argon2id").ok()?,
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(output).ok()?),
    };
    Some(hash.to_string())
}
