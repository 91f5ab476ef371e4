//! Decryption in two steps: parsing the header, then decrypting the content.

use crate::Error;
use crate::kdf::wrapping_key;
use crate::parameters::ephemeral_key;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use aes_kw::KwAes256;
use domain::encoding::from_base64url;
use serde::de::DeserializeOwned;
use wire::jwk::EcJwk;
use zeroize::Zeroizing;

/// A parsed token. Its header is not authenticated before decryption.
#[derive(Debug, Clone)]
pub struct Sealed<H> {
    header: H,
    epk: EcJwk,
    /// The header as sent: the associated data.
    protected: String,
    wrapped: [u8; 40],
    iv: [u8; 12],
    content: Vec<u8>,
    tag: [u8; 16],
}

/// Parses a token.
///
/// # Errors
/// It is not a compact JWE, or of another kind.
pub fn parse<H: DeserializeOwned>(token: &str) -> Result<Sealed<H>, Error> {
    let mut parts = token.split('.');
    let [Some(protected), Some(wrapped), Some(iv), Some(content), Some(tag), None] =
        std::array::from_fn(|_| parts.next())
    else {
        return Err(Error::Malformed);
    };
    let header = bytes(protected)?;
    Ok(Sealed {
        epk: ephemeral_key(&header)?,
        header: serde_json::from_slice(&header).map_err(|_| Error::Header)?,
        protected: protected.to_owned(),
        wrapped: fixed(wrapped)?,
        iv: fixed(iv)?,
        content: bytes(content)?,
        tag: fixed(tag)?,
    })
}

impl<H> Sealed<H> {
    pub fn header(&self) -> &H {
        &self.header
    }

    /// Returns the key for the agreement.
    pub fn epk(&self) -> &EcJwk {
        &self.epk
    }

    /// Decrypts the content. `shared_secret` is the result of [`crate::PrivateKey::agree`] with [`Self::epk`].
    ///
    /// # Errors
    /// It was encrypted to another key, or was changed.
    pub fn open(&self, shared_secret: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut content_key = Zeroizing::new([0; 32]);
        KwAes256::new((&*wrapping_key(shared_secret)).into())
            .unwrap_key(&self.wrapped, content_key.as_mut_slice())
            .map_err(|_| Error::Unopened)?;
        let mut content = Zeroizing::new(self.content.clone());
        Aes256Gcm::new((&*content_key).into())
            .decrypt_inout_detached(
                &Nonce::from(self.iv),
                self.protected.as_bytes(),
                content.as_mut_slice().into(),
                &Tag::from(self.tag),
            )
            .map_err(|_| Error::Unopened)?;
        Ok(content)
    }
}

fn bytes(part: &str) -> Result<Vec<u8>, Error> {
    from_base64url(part).ok_or(Error::Malformed)
}

fn fixed<const N: usize>(part: &str) -> Result<[u8; N], Error> {
    bytes(part)?.try_into().map_err(|_| Error::Malformed)
}
