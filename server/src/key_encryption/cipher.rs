//! One key that encrypts values with their row as associated data.

use super::KeyEncryptionError;
use crate::entropy::Entropy;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use domain::encoding::{base64url, from_base64url, sha256};
use zeroize::Zeroizing;

pub struct Cipher {
    name: String,
    key: LessSafeKey,
}

impl Cipher {
    /// Builds the cipher. Returns `None` unless `bytes` are 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?);
        let hash = sha256(&[b"postern key-encryption key", bytes].concat());
        Some(Self { name: base64url(&hash[..6]), key })
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::new(&Zeroizing::new(from_base64url(text)?))
    }

    /// Returns the eight characters that precede its values.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Encrypts a secret. `place` names the row and must be the same for [`Self::open`].
    ///
    /// # Errors
    /// Never for valid key sizes.
    pub fn seal(&self, entropy: &dyn Entropy, place: &str, secret: &[u8]) -> Result<String, KeyEncryptionError> {
        let nonce = entropy.bytes::<NONCE_LEN>();
        let mut sealed = secret.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .map_err(|_| KeyEncryptionError::WrongKey)?;
        Ok(base64url(&[nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts a value.
    ///
    /// # Errors
    /// [`KeyEncryptionError::WrongKey`]: another key, another row, or a changed value.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        let bytes = from_base64url(sealed).ok_or(KeyEncryptionError::WrongKey)?;
        let (nonce, content) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(KeyEncryptionError::WrongKey)?;
        let mut content = Zeroizing::new(content.to_vec());
        let length = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut content)
            .map_err(|_| KeyEncryptionError::WrongKey)?
            .len();
        content.truncate(length);
        Ok(content)
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cipher({})", self.name)
    }
}
