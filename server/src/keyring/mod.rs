//! The server's own keys: made at first start, stored encrypted, loaded once.

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::key_encryption::{self, KeyEncryptionKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair};
use domain::encoding::{base64url, hmac_sha256, sha256};
use jsonwebtoken::{DecodingKey, EncodingKey};
use std::fmt;
use store::Store;
use store::keys::{Kind, StoredKey};
use wire::jwk::{EcJwk, RsaJwk, SigningJwk};
use zeroize::Zeroizing;

/// Opens sealed logins.
pub struct EnvelopeKey {
    pub kid: [u8; 32],
    pub public: RsaJwk,
    pub private: OaepPrivateDecryptingKey,
}

/// Signs access tokens.
pub struct SigningKey {
    pub public: SigningJwk,
    pub encoding: EncodingKey,
    pub decoding: DecodingKey,
}

/// Everything the server holds in secret while it runs.
pub struct Keyring {
    pub envelope: EnvelopeKey,
    pub signing: SigningKey,
    /// Keys for HMAC, each derived for one purpose.
    pub macs: Macs,
}

pub struct Macs {
    pub short_key: Zeroizing<[u8; 32]>,
    pub refresh: Zeroizing<[u8; 32]>,
    pub account: Zeroizing<[u8; 32]>,
    pub nonce: Zeroizing<[u8; 32]>,
    pub setup: Zeroizing<[u8; 32]>,
    pub device: Zeroizing<[u8; 32]>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    KeyEncryption(#[from] key_encryption::Error),
    #[error("the {0} key could not be made")]
    Make(&'static str),
    #[error("the {0} key in the database is not readable")]
    Read(&'static str),
}

impl Keyring {
    /// Loads the keys; makes those that are missing.
    ///
    /// # Errors
    /// The store does not answer, or its keys were encrypted with another key-encryption key.
    pub async fn load(
        store: &dyn Store,
        key: &KeyEncryptionKey,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Self, Error> {
        let ring = Ring { store, key, entropy, clock };
        let envelope = ring.secret(Kind::Envelope, make_envelope).await?;
        let signing = ring.secret(Kind::Signing, make_signing).await?;
        let mac =
            ring.secret(Kind::Mac, |entropy| Some((entropy.bytes::<32>().to_vec().into(), "mac".to_owned()))).await?;
        Ok(Self {
            envelope: EnvelopeKey::read(&envelope).ok_or(Error::Read("envelope"))?,
            signing: SigningKey::read(&signing).ok_or(Error::Read("signing"))?,
            macs: Macs::derive(&mac).ok_or(Error::Read("mac"))?,
        })
    }
}

#[cfg(test)]
impl Keyring {
    /// An envelope key that nobody stores.
    pub fn fresh_envelope_key() -> Option<EnvelopeKey> {
        EnvelopeKey::read(&make_envelope(&crate::entropy::SystemEntropy)?.0)
    }
}

struct Ring<'a> {
    store: &'a dyn Store,
    key: &'a KeyEncryptionKey,
    entropy: &'a dyn Entropy,
    clock: &'a dyn Clock,
}

type Made = (Zeroizing<Vec<u8>>, String);

impl Ring<'_> {
    async fn secret(&self, kind: Kind, make: fn(&dyn Entropy) -> Option<Made>) -> Result<Zeroizing<Vec<u8>>, Error> {
        if let Some(secret) = self.find(kind).await? {
            return Ok(secret);
        }
        let (secret, kid) = make(self.entropy).ok_or(Error::Make(kind.as_str()))?;
        let sealed = self.key.seal(self.entropy, &place(kind, &kid), &secret)?;
        let row = StoredKey { kid, kind, sealed, created_at: self.clock.now(), retired_at: None };
        self.store.add_key_if_none(&row).await?;
        // Another node may have been first: what is stored counts.
        self.find(kind).await?.ok_or(Error::Make(kind.as_str()))
    }

    async fn find(&self, kind: Kind) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let rows = self.store.keys().await?;
        match rows.iter().find(|row| row.kind == kind && row.retired_at.is_none()) {
            Some(row) => Ok(Some(self.key.open(&place(kind, &row.kid), &row.sealed)?)),
            None => Ok(None),
        }
    }
}

fn place(kind: Kind, kid: &str) -> String {
    format!("keys/{}/{kid}", kind.as_str())
}

fn make_envelope(_: &dyn Entropy) -> Option<Made> {
    let key = PrivateDecryptingKey::generate(KeySize::Rsa3072).ok()?;
    let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).ok()?;
    let kid = EnvelopeKey::read(pkcs8.as_ref())?.public.kid;
    Some((pkcs8.as_ref().to_vec().into(), kid))
}

fn make_signing(_: &dyn Entropy) -> Option<Made> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
    let pkcs8 = key.to_pkcs8v1().ok()?;
    let kid = SigningKey::read(pkcs8.as_ref())?.public.kid;
    Some((pkcs8.as_ref().to_vec().into(), kid))
}

impl EnvelopeKey {
    fn read(pkcs8: &[u8]) -> Option<Self> {
        let private = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
        if private.key_size_bits() < 3072 {
            return None;
        }
        let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
        let n = base64url(pair.public_key().modulus().big_endian_without_leading_zero());
        let e = base64url(pair.public_key().exponent().big_endian_without_leading_zero());
        let kid = sha256(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes());
        let public = RsaJwk {
            kty: "RSA".to_owned(),
            alg: wire::envelope::ALG.to_owned(),
            usage: "enc".to_owned(),
            kid: base64url(&kid),
            n,
            e,
        };
        Some(Self { kid, public, private: OaepPrivateDecryptingKey::new(private).ok()? })
    }
}

impl SigningKey {
    fn read(pkcs8: &[u8]) -> Option<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
        let (x, y) = pair.public_key().as_ref().strip_prefix(&[4])?.split_at_checked(32)?;
        let key = EcJwk::p256(base64url(x), base64url(y));
        let kid = thumbprint(&key);
        let decoding = DecodingKey::from_ec_components(&key.x, &key.y).ok()?;
        let public = SigningJwk { key, kid, alg: "ES256".to_owned(), usage: "sig".to_owned() };
        Some(Self { public, encoding: EncodingKey::from_ec_der(pkcs8), decoding })
    }
}

impl Macs {
    fn derive(secret: &[u8]) -> Option<Self> {
        let root: &[u8; 32] = secret.try_into().ok()?;
        let purpose = |name: &str| Zeroizing::new(hmac_sha256(root, &[name.as_bytes()]));
        Some(Self {
            short_key: purpose("short_key"),
            refresh: purpose("refresh token"),
            account: purpose("account digest"),
            nonce: purpose("dpop nonce"),
            setup: purpose("set-up code"),
            device: purpose("device cookie"),
        })
    }
}

/// JWK thumbprint (RFC 7638).
pub fn thumbprint(key: &EcJwk) -> String {
    base64url(&sha256(key.thumbprint_input().as_bytes()))
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(envelope {}, signing {})", self.envelope.public.kid, self.signing.public.kid)
    }
}

macro_rules! silent_debug {
    ($($type:ident),+) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        })+
    };
}

silent_debug!(EnvelopeKey, SigningKey, Macs);
