//! The key-encryption key under a passphrase: argon2id and AES-256-GCM.

use super::BackupError;
use crate::entropy::Entropy;
use crate::key_encryption::Cipher;
use argon2::{Algorithm, Argon2, Params, Version};
use domain::encoding::{base64url, from_base64url};
use domain::password::check_length;
use zeroize::Zeroizing;

/// Memory of argon2id in KiB: the second recommended option of RFC 9106, section 4.
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
/// Maximum memory in KiB that a backup file may demand.
const MOST_MEMORY_KIB: u32 = 1_048_576;
const MOST_PASSES: u32 = 16;
const SHORTEST: u32 = 15;

/// A passphrase from a person or a file.
pub(crate) struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Checks the length of a passphrase.
    ///
    /// # Errors
    /// Shorter than 15 characters.
    pub(crate) fn new(text: Zeroizing<String>) -> Result<Self, BackupError> {
        check_length(&text, SHORTEST).map_err(|_| BackupError::Short)?;
        Ok(Self(text))
    }

    /// Encrypts a secret as `argon2id$65536$3$salt$sealed`.
    pub(super) fn seal(&self, entropy: &dyn Entropy, secret: &[u8]) -> Result<String, BackupError> {
        let head = format!("argon2id${MEMORY_KIB}${PASSES}${}", base64url(&entropy.bytes::<16>()));
        let sealed = self.key(&head).ok_or(BackupError::WrongPassphrase)?.seal(entropy, &head, secret)?;
        Ok(format!("{head}${sealed}"))
    }

    pub(super) fn open(&self, text: &str) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let (head, sealed) = text.rsplit_once('$').ok_or(BackupError::WrongPassphrase)?;
        let key = self.key(head).ok_or(BackupError::WrongPassphrase)?;
        key.open(head, sealed).map_err(|_| BackupError::WrongPassphrase)
    }

    fn key(&self, head: &str) -> Option<Cipher> {
        let parts: Vec<&str> = head.split('$').collect();
        let ["argon2id", memory, passes, salt] = parts[..] else { return None };
        let (memory, passes): (u32, u32) = (memory.parse().ok()?, passes.parse().ok()?);
        if memory > MOST_MEMORY_KIB || passes > MOST_PASSES {
            return None;
        }
        let mut key = Zeroizing::new([0; 32]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(memory, passes, 1, None).ok()?);
        argon2.hash_password_into(self.0.as_bytes(), &from_base64url(salt)?, &mut *key).ok()?;
        Cipher::new(&*key)
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).expect("long enough")
    }

    #[test]
    fn opens_with_its_passphrase_and_unaltered_only() {
        let own = passphrase("a lantern at the gate");
        let sealed = own.seal(&SystemEntropy, b"secret").expect("sealed");
        assert_eq!(own.open(&sealed).expect("opens").as_slice(), b"secret");
        assert!(passphrase("a lantern at the gatf").open(&sealed).is_err());
        for (from, to) in [("$65536$", "$65537$"), ("$3$", "$2$"), ("argon2id", "argon2i"), ("$65536$", "$4000000000$")]
        {
            assert!(own.open(&sealed.replace(from, to)).is_err(), "{to}");
        }
        assert!(own.open("").is_err());
        assert!(Passphrase::new(Zeroizing::new("fourteen chars".to_owned())).is_err());
    }
}
