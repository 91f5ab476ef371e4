//! Envelope keys: RSA keys that decrypt logins.

use super::Made;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use domain::encoding::{base64url, sha256};
use std::fmt;
use wire::envelope::ALG;
use wire::jwk::RsaJwk;

pub struct EnvelopeKey {
    pub kid: [u8; 32],
    pub public: RsaJwk,
    pub private: OaepPrivateDecryptingKey,
}

impl EnvelopeKey {
    /// Generates a key, which takes some tenths of a second.
    pub(super) fn make() -> Option<Made> {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa3072).ok()?;
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).ok()?;
        let kid = Self::read(pkcs8.as_ref())?.public.kid;
        Some(Made { kid, alg: ALG, secret: pkcs8.as_ref().to_vec().into() })
    }

    pub(super) fn read(pkcs8: &[u8]) -> Option<Self> {
        let private = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
        if private.key_size_bits() < 3072 {
            return None;
        }
        let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
        let n = base64url(pair.public_key().modulus().big_endian_without_leading_zero());
        let e = base64url(pair.public_key().exponent().big_endian_without_leading_zero());
        let kid = sha256(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes());
        let public =
            RsaJwk { kty: "RSA".to_owned(), alg: ALG.to_owned(), usage: "enc".to_owned(), kid: base64url(&kid), n, e };
        Some(Self { kid, public, private: OaepPrivateDecryptingKey::new(private).ok()? })
    }
}

#[cfg(test)]
impl EnvelopeKey {
    /// Makes a key that is not stored.
    pub fn fresh() -> Option<Self> {
        Self::read(&Self::make()?.secret)
    }
}

impl fmt::Debug for EnvelopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvelopeKey({})", self.public.kid)
    }
}
