//! Encryption.

use crate::kdf::wrapping_key;
use crate::parameters::ephemeral_key;
use crate::{Error, PrivateKey};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use aes_kw::KwAes256;
use domain::encoding::base64url;
use serde::Serialize;
use std::fmt;
use wire::jwk::EcJwk;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Random values that must be new for every message.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Random {
    pub ephemeral: [u8; 32],
    pub content_key: [u8; 32],
    pub iv: [u8; 12],
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(..)")
    }
}

/// Encrypts `plaintext` to `recipient`. `header` receives the ephemeral key and builds a header with [`crate::ALG`],
/// [`crate::ENC`] and that key as `epk`.
///
/// # Errors
/// The recipient is not a P-256 key, or the header lacks these.
pub fn seal<H: Serialize>(
    recipient: &EcJwk,
    header: impl FnOnce(EcJwk) -> H,
    plaintext: &[u8],
    random: &Random,
) -> Result<String, Error> {
    let ephemeral = PrivateKey::generate(&random.ephemeral)?;
    let secret = ephemeral.agree(recipient)?;
    let epk = ephemeral.public();
    let header = serde_json::to_vec(&header(epk.clone())).map_err(|_| Error::Header)?;
    if ephemeral_key(&header)? != epk {
        return Err(Error::Header);
    }
    let header = base64url(&header);

    let mut wrapped = [0; 40];
    let wrapping = KwAes256::new((&*wrapping_key(&secret)).into());
    wrapping.wrap_key(&random.content_key, &mut wrapped).map_err(|_| Error::Unsealed)?;

    let mut content = Zeroizing::new(plaintext.to_vec());
    let tag = Aes256Gcm::new((&random.content_key).into())
        .encrypt_inout_detached(&Nonce::from(random.iv), header.as_bytes(), content.as_mut_slice().into())
        .map_err(|_| Error::Unsealed)?;
    Ok([header, base64url(&wrapped), base64url(&random.iv), base64url(&content), base64url(&tag)].join("."))
}
