//! The opening half of the login envelope: compact JWE (RFC 7516), `RSA-OAEP-256`, `A256GCM`.

use crate::entropy::Entropy;
use crate::keyring::EnvelopeKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rsa::OAEP_SHA256_MGF1SHA256;
use domain::encoding::from_base64url;
use wire::envelope::{ALG, ENC, Header};
use zeroize::Zeroizing;

/// An envelope that opened.
#[derive(Debug)]
pub struct Opened {
    pub header: Header,
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// Opens an envelope. `None`, whatever is wrong with it: one answer for every failure. A content key
/// that does not unwrap is replaced by a random one and the work goes on (RFC 7516, section 11.5), so
/// that an attacker learns nothing from the time either.
pub fn open(key: &EnvelopeKey, entropy: &dyn Entropy, envelope: &str) -> Option<Opened> {
    let mut parts = envelope.split('.');
    let (header64, wrapped, iv, content, tag) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let header: Header = serde_json::from_slice(&from_base64url(header64)?).ok()?;
    if header.alg != ALG || header.enc != ENC || header.kid != key.public.kid {
        return None;
    }
    let wrapped = from_base64url(wrapped)?;
    let iv: [u8; NONCE_LEN] = from_base64url(iv)?.try_into().ok()?;
    let tag: [u8; 16] = from_base64url(tag)?.try_into().ok()?;
    let mut content = Zeroizing::new(from_base64url(content)?);
    content.extend_from_slice(&tag);

    let content_key = unwrap(key, entropy, &wrapped);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key.as_slice()).ok()?);
    let length = cipher
        .open_in_place(Nonce::assume_unique_for_key(iv), Aad::from(header64), &mut content)
        .ok()?
        .len();
    content.truncate(length);
    Some(Opened { header, plaintext: content })
}

fn unwrap(key: &EnvelopeKey, entropy: &dyn Entropy, wrapped: &[u8]) -> Zeroizing<[u8; 32]> {
    let stand_in = Zeroizing::new(entropy.bytes::<32>());
    let mut output = Zeroizing::new(vec![0; key.private.min_output_size()]);
    match key.private.decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut output, None) {
        Ok(content_key) => content_key.try_into().map_or(stand_in, Zeroizing::new),
        Err(_) => stand_in,
    }
}
