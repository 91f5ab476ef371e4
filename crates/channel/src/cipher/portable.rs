use super::{AuthenticationFailed, NONCE, TAG};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};

#[derive(Debug)]
pub(crate) struct Cipher(Aes256Gcm);

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    pub(crate) fn seal(&self, nonce: [u8; NONCE], associated: &[u8], content: &mut [u8]) -> Option<[u8; TAG]> {
        self.0.encrypt_inout_detached(&Nonce::from(nonce), associated, content.into()).ok().map(Into::into)
    }

    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE],
        associated: &[u8],
        content: &mut [u8],
        tag: [u8; TAG],
    ) -> Result<(), AuthenticationFailed> {
        self.0
            .decrypt_inout_detached(&Nonce::from(nonce), associated, content.into(), &Tag::from(tag))
            .map_err(|_| AuthenticationFailed)
    }
}
