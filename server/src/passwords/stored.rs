//! Password hashes as they are stored: PHC strings, and bcrypt hashes of imported accounts.

use super::costs::{Cost, Work};
use argon2::{Params, Version};
use bcrypt::HashParts;
use phc::{Output, PasswordHash, Salt};

/// A hash as it is stored.
pub(super) struct Stored {
    pub work: Work,
    pub salt: Vec<u8>,
    pub expected: Vec<u8>,
}

/// The part of a bcrypt hash before cost, salt and output: `$2b$`.
pub(super) const BCRYPT_PREFIX: usize = 4;

impl Stored {
    /// Reads a hash. Returns `None` if it is neither argon2id nor bcrypt, or lacks a part.
    pub(super) fn read(phc: &str) -> Option<Self> {
        if phc.starts_with("$2") {
            let parts: HashParts = phc.parse().ok()?;
            // `$2y$` and `$2a$` are the same algorithm as `$2b$` in the programs that write them today.
            let expected = parts.to_string().into_bytes().split_off(BCRYPT_PREFIX);
            return Some(Self { work: Work::Bcrypt(parts.get_cost()), salt: parts.get_salt_raw().to_vec(), expected });
        }
        let hash = PasswordHash::new(phc).ok().filter(|hash| hash.algorithm.as_str() == "argon2id")?;
        let params = Params::try_from(&hash).ok()?;
        Some(Self {
            work: Work::Argon2(Cost::of(&params)),
            salt: hash.salt?.as_ref().to_vec(),
            expected: hash.hash?.as_bytes().to_vec(),
        })
    }
}

/// Writes a PHC string. Returns `None` if the length of salt or output is invalid in PHC.
pub(super) fn write(params: &Params, salt: &[u8], output: &[u8]) -> Option<String> {
    let hash = PasswordHash {
        algorithm: phc::Ident::new("argon2id").ok()?,
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(output).ok()?),
    };
    Some(hash.to_string())
}
