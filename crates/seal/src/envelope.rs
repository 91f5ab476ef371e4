//! Compact JWE (RFC 7516): a fresh content key wrapped with RSA-OAEP-256, content under A256GCM, every
//! byte of the protected header as associated data.

use crate::rng::OsRng;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64ct::{Base64UrlUnpadded, Encoding};
use rand_core::RngCore;
use rsa::{BigUint, Oaep, RsaPublicKey};
use sha2::Sha256;
use wire::envelope::{ALG, ENC, EnvelopeHeader, EnvelopeKind};
use wire::jwk::{EcJwk, RsaJwk};
use zeroize::Zeroizing;

/// The reason why encryption failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the server's key is not an RSA-OAEP-256 key of 3072 to 8192 bits")]
    Key,
    #[error("the system's random source failed")]
    Random,
    #[error("the envelope could not be encrypted")]
    Seal,
}

/// Encrypts `plaintext` to the server's envelope key.
///
/// `client`: the client's signing and receiving keys, if any. `iat`: unix seconds by the client's clock.
///
/// # Errors
/// The key is not suitable, or the random source failed.
pub fn seal(
    key: &RsaJwk,
    kind: EnvelopeKind,
    short_key: &str,
    origin: &str,
    client: Option<(&EcJwk, &EcJwk)>,
    iat: i64,
    plaintext: &[u8],
) -> Result<String, Error> {
    let header = EnvelopeHeader {
        alg: ALG.to_owned(),
        enc: ENC.to_owned(),
        kid: key.kid.clone(),
        typ: kind,
        sk: short_key.to_owned(),
        org: origin.to_owned(),
        jwk: client.map(|(signing, _)| signing.clone()),
        enc_jwk: client.map(|(_, receiving)| receiving.clone()),
        iat,
    };
    let header = serde_json::to_vec(&header).map_err(|_| Error::Seal)?;
    seal_parts(&public_key(key)?, &header, plaintext)
}

fn seal_parts(key: &RsaPublicKey, header: &[u8], plaintext: &[u8]) -> Result<String, Error> {
    let mut content_key = Zeroizing::new([0_u8; 32]);
    let mut iv = [0_u8; 12];
    OsRng.try_fill_bytes(content_key.as_mut_slice()).map_err(|_| Error::Random)?;
    OsRng.try_fill_bytes(&mut iv).map_err(|_| Error::Random)?;

    let wrapped = key.encrypt(&mut OsRng, Oaep::new::<Sha256>(), content_key.as_slice()).map_err(|_| Error::Seal)?;
    let header = Base64UrlUnpadded::encode_string(header);
    let mut content = Zeroizing::new(plaintext.to_vec());
    let tag = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(content_key.as_slice()))
        .encrypt_in_place_detached(Nonce::from_slice(&iv), header.as_bytes(), &mut content)
        .map_err(|_| Error::Seal)?;

    Ok([
        header,
        Base64UrlUnpadded::encode_string(&wrapped),
        Base64UrlUnpadded::encode_string(&iv),
        Base64UrlUnpadded::encode_string(&content),
        Base64UrlUnpadded::encode_string(&tag),
    ]
    .join("."))
}

fn public_key(key: &RsaJwk) -> Result<RsaPublicKey, Error> {
    if key.kty != "RSA" || key.alg != ALG {
        return Err(Error::Key);
    }
    let number = |text: &str| Base64UrlUnpadded::decode_vec(text).map(|bytes| BigUint::from_bytes_be(&bytes));
    let (n, e) = (number(&key.n).map_err(|_| Error::Key)?, number(&key.e).map_err(|_| Error::Key)?);
    if n.bits() < 3072 {
        return Err(Error::Key);
    }
    RsaPublicKey::new_with_max_size(n, e, 8192).map_err(|_| Error::Key)
}
