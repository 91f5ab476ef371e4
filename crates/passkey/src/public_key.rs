//! Public keys in COSE form (RFC 9052, section 7; RFC 9053, section 7; RFC 8230, section 4).

use crate::PasskeyError;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use minicbor::{Decoder, Encoder};

const KTY: i64 = 1;
const ALG: i64 = 3;
const OKP: i64 = 1;
const EC2: i64 = 2;
const RSA: i64 = 3;
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;
/// The curve of an elliptic key, and the modulus of an RSA key.
const FIRST: i64 = -1;
/// The coordinate x, and the exponent of an RSA key.
const SECOND: i64 = -2;
/// The coordinate y.
const THIRD: i64 = -3;
const P256: i64 = 1;
const ED25519_CURVE: i64 = 6;

/// A passkey's public key with its only permitted algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// ES256: the coordinates x and y on P-256.
    P256([u8; 32], [u8; 32]),
    /// Ed25519.
    Ed25519([u8; 32]),
    /// RS256: modulus and exponent, big-endian without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
}

/// The parameters of a key as they are found, each at most once.
#[derive(Default)]
struct Parameters<'a> {
    kty: Option<i64>,
    alg: Option<i64>,
    curve: Option<i64>,
    modulus: Option<&'a [u8]>,
    second: Option<&'a [u8]>,
    third: Option<&'a [u8]>,
}

impl PublicKey {
    /// Algorithms that are accepted, as COSE numbers, the preferred one first.
    pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

    /// Returns a P-256 key. `None` if the point is not on the curve.
    pub fn p256(x: [u8; 32], y: [u8; 32]) -> Option<Self> {
        let key = Self(Kind::P256(x, y));
        key.is_usable().then_some(key)
    }

    /// Returns an Ed25519 key. `None` if it is not a point on the curve.
    pub fn ed25519(x: [u8; 32]) -> Option<Self> {
        let key = Self(Kind::Ed25519(x));
        key.is_usable().then_some(key)
    }

    /// Returns an RSA key for PKCS #1 v1.5 signatures. `None` if it has not between 2048 and 8192 bits.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let key = Self(Kind::Rsa(modulus.to_vec(), exponent.to_vec()));
        key.is_usable().then_some(key)
    }

    /// Reads a stored key.
    ///
    /// # Errors
    /// [`PasskeyError::Algorithm`] for an algorithm that is not accepted, [`PasskeyError::PublicKey`] for all else.
    pub fn from_cose(bytes: &[u8]) -> Result<Self, PasskeyError> {
        let mut decoder = Decoder::new(bytes);
        let key = Self::decode(&mut decoder)?;
        if decoder.position() == bytes.len() { Ok(key) } else { Err(PasskeyError::PublicKey) }
    }

    /// Returns the key in COSE form, in canonical order.
    pub fn to_cose(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = match &self.0 {
            Kind::P256(x, y) => head(&mut encoder, 5, EC2, ES256).and_then(|encoder| {
                encoder.i64(FIRST)?.i64(P256)?.i64(SECOND)?.bytes(x)?.i64(THIRD)?.bytes(y).map(drop)
            }),
            Kind::Ed25519(x) => head(&mut encoder, 4, OKP, EDDSA)
                .and_then(|encoder| encoder.i64(FIRST)?.i64(ED25519_CURVE)?.i64(SECOND)?.bytes(x).map(drop)),
            Kind::Rsa(n, e) => head(&mut encoder, 4, RSA, RS256)
                .and_then(|encoder| encoder.i64(FIRST)?.bytes(n)?.i64(SECOND)?.bytes(e).map(drop)),
        };
        encoder.into_writer()
    }

    /// Returns the name of its algorithm (COSE registry).
    pub fn algorithm(&self) -> &'static str {
        match self.0 {
            Kind::P256(..) => "ES256",
            Kind::Ed25519(_) => "EdDSA",
            Kind::Rsa(..) => "RS256",
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::P256(x, y) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(x, y)).verify(message, signature).is_ok()
            }
            Kind::Ed25519(x) => UnparsedPublicKey::new(&ED25519, x).verify(message, signature).is_ok(),
            Kind::Rsa(n, e) => RsaPublicKeyComponents { n: n.as_slice(), e: e.as_slice() }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }

    /// Whether it is a valid key, so that no key is stored that can never sign in.
    fn is_usable(&self) -> bool {
        match &self.0 {
            Kind::P256(x, y) => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(x, y)).is_ok(),
            Kind::Ed25519(x) => ParsedPublicKey::new(&ED25519, x).is_ok(),
            Kind::Rsa(n, e) => is_natural(e) && is_natural(n) && (256..=1024).contains(&n.len()),
        }
    }

    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, PasskeyError> {
        let parameters = Parameters::read(decoder).ok_or(PasskeyError::PublicKey)?;
        match parameters.alg {
            Some(ES256 | EDDSA | RS256) => parameters.key().ok_or(PasskeyError::PublicKey),
            Some(_) => Err(PasskeyError::Algorithm),
            None => Err(PasskeyError::PublicKey),
        }
    }
}

impl<'a> Parameters<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Option<Self> {
        let mut parameters = Self::default();
        for _ in 0..decoder.map().ok()?? {
            match decoder.i64().ok()? {
                KTY => put(&mut parameters.kty, decoder.i64().ok()?)?,
                ALG => put(&mut parameters.alg, decoder.i64().ok()?)?,
                FIRST if decoder.datatype().ok()? == minicbor::data::Type::Bytes => {
                    put(&mut parameters.modulus, decoder.bytes().ok()?)?;
                }
                FIRST => put(&mut parameters.curve, decoder.i64().ok()?)?,
                SECOND => put(&mut parameters.second, decoder.bytes().ok()?)?,
                THIRD => put(&mut parameters.third, decoder.bytes().ok()?)?,
                // No optional parameters (section 6.5.1).
                _ => return None,
            }
        }
        Some(parameters)
    }

    /// Returns the key, if it has exactly the parameters of its algorithm.
    fn key(self) -> Option<PublicKey> {
        match self {
            Self {
                kty: Some(EC2),
                alg: Some(ES256),
                curve: Some(P256),
                modulus: None,
                second: Some(x),
                third: Some(y),
            } => PublicKey::p256(x.try_into().ok()?, y.try_into().ok()?),
            Self {
                kty: Some(OKP),
                alg: Some(EDDSA),
                curve: Some(ED25519_CURVE),
                modulus: None,
                second: Some(x),
                third: None,
            } => PublicKey::ed25519(x.try_into().ok()?),
            Self { kty: Some(RSA), alg: Some(RS256), curve: None, modulus: Some(n), second: Some(e), third: None } => {
                PublicKey::rsa(n, e)
            }
            _ => None,
        }
    }
}

/// Sets a parameter. `None`: it was there already.
fn put<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn head(
    encoder: &mut Encoder<Vec<u8>>,
    length: u64,
    kty: i64,
    alg: i64,
) -> Result<&mut Encoder<Vec<u8>>, minicbor::encode::Error<std::convert::Infallible>> {
    encoder.map(length)?.i64(KTY)?.i64(kty)?.i64(ALG)?.i64(alg)
}

/// Returns an uncompressed point (SEC 1, section 2.3.3).
fn point(x: &[u8; 32], y: &[u8; 32]) -> Vec<u8> {
    [&[4], x.as_slice(), y].concat()
}

/// Whether it is a positive number without leading zeros.
fn is_natural(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| *first != 0)
}
