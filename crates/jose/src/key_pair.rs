//! Keys that sign.

use crate::provider::{PRIVATE, Private, install};
use crate::{Algorithm, Error};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use zeroize::Zeroizing;

/// Shortest accepted RSA modulus in bytes: 2048 bits (RFC 7518, section 3.3).
const SHORTEST_MODULUS: usize = 256;

/// A private key with its public half, parsed once.
///
/// `jsonwebtoken` finds it through the process's `CryptoProvider`, which the first key installs.
pub struct KeyPair {
    algorithm: Algorithm,
    public: Vec<u8>,
    /// The name of the parsed key. It contains no part of the key.
    name: EncodingKey,
    /// Kept for the registry, which has only a weak reference.
    private: Arc<Private>,
}

impl KeyPair {
    /// Returns a new private key as PKCS #8, or `None` if the source of randomness failed. An RSA key has 2048 bits,
    /// and finding its primes takes some tenths of a second.
    pub fn generate(algorithm: Algorithm) -> Option<Zeroizing<Vec<u8>>> {
        let pkcs8 = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?.to_pkcs8v1().ok()?,
            Algorithm::EdDsa => Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?,
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
                let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).ok()?;
                return Some(Zeroizing::new(pkcs8.as_ref().to_vec()));
            }
        };
        Some(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    /// Parses a private key. Returns `None` if these bytes are not a key for `algorithm`, or if the process has
    /// installed another `CryptoProvider`.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Option<Self> {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        let (private, public) = match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
                let public = pair.public_key().as_ref().to_vec();
                (Private::Es256(pair), public)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
                let public = pair.public_key().as_ref().to_vec();
                (Private::EdDsa(pair), public)
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
                if pair.public_modulus_len() < SHORTEST_MODULUS {
                    return None;
                }
                let public = pair.public_key().as_ref().to_vec();
                (Private::Rs256(pair), public)
            }
        };
        let (private, name) = (Arc::new(private), NAMES.fetch_add(1, Relaxed).to_be_bytes());
        PRIVATE.add(&name, &private);
        let name = match algorithm {
            Algorithm::Es256 => EncodingKey::from_ec_der(&name),
            Algorithm::EdDsa => EncodingKey::from_ed_der(&name),
            Algorithm::Rs256 => EncodingKey::from_rsa_der(&name),
        };
        install().then_some(Self { algorithm, public, name, private })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the public key. For P-256 it is an uncompressed point of 65 bytes (SEC 1, section 2.3.3), for Ed25519 it
    /// has 32 bytes, and for RSA it is an `RSAPublicKey` in DER (RFC 8017, appendix A.1.1).
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Returns modulus and exponent of an RSA key, big-endian. `None` for another kind of key.
    pub fn rsa_components(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let Private::Rs256(pair) = &*self.private else { return None };
        let public = pair.public_key();
        Some((
            public.modulus().big_endian_without_leading_zero().to_vec(),
            public.exponent().big_endian_without_leading_zero().to_vec(),
        ))
    }

    /// Signs `claims` as a compact JWS whose header contains its type and its key's id.
    ///
    /// # Errors
    ///
    /// [`Error::Sign`] if the claims cannot be written as JSON, or if the source of randomness failed.
    pub fn sign<T: Serialize>(&self, typ: &str, kid: &str, claims: &T) -> Result<String, Error> {
        let mut header = Header::new(self.algorithm.named());
        header.typ = Some(typ.to_owned());
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, claims, &self.name).map_err(Error::Sign)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.algorithm.as_str())
    }
}
