use super::{AuthenticationFailed, NONCE, TAG};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

#[derive(Debug)]
pub(crate) struct Cipher(Option<LessSafeKey>);

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // 32 bytes are always a valid key; without one nothing can be decrypted.
        Self(UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new))
    }

    pub(crate) fn seal(&self, nonce: [u8; NONCE], associated: &[u8], content: &mut [u8]) -> Option<[u8; TAG]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.as_ref()?.seal_in_place_separate_tag(nonce, Aad::from(associated), content).ok()?;
        tag.as_ref().try_into().ok()
    }

    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE],
        associated: &[u8],
        content: &mut [u8],
        tag: [u8; TAG],
    ) -> Result<(), AuthenticationFailed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let key = self.0.as_ref().ok_or(AuthenticationFailed)?;
        key.open_in_place_separate_tag(nonce, Aad::from(associated), &tag, content)
            .map_err(|_| AuthenticationFailed)?;
        Ok(())
    }
}
