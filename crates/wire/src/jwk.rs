//! Public keys as JWK (RFC 7517). No type here has a private member, so that none can leak.

use crate::jose::Absent;
use serde::{Deserialize, Serialize};

/// A public RSA key for encryption, RSA-OAEP-256 (RFC 7518, sections 4.3 and 6.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsaJwk {
    pub kty: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub usage: String,
    pub kid: String,
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
}

/// A public P-256 key (RFC 7518, section 6.2). Reading drops unknown members and refuses a private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ReadEc")]
pub struct EcJwk {
    pub crv: String,
    pub kty: String,
    /// 32 bytes, base64url without padding.
    pub x: String,
    /// 32 bytes, base64url without padding.
    pub y: String,
}

/// An [`EcJwk`] as it is read.
#[derive(Deserialize)]
struct ReadEc {
    crv: String,
    kty: String,
    x: String,
    y: String,
    #[serde(default, rename = "d")]
    _d: Absent,
}

impl From<ReadEc> for EcJwk {
    fn from(ReadEc { crv, kty, x, y, .. }: ReadEc) -> Self {
        Self { crv, kty, x, y }
    }
}

impl EcJwk {
    /// Creates a P-256 key from its coordinates, base64url without padding.
    pub fn p256(x: String, y: String) -> Self {
        Self { crv: "P-256".to_owned(), kty: "EC".to_owned(), x, y }
    }

    /// Returns the input of the thumbprint's SHA-256 (RFC 7638, section 3.2): required members in lexicographic order,
    /// without white space.
    pub fn thumbprint_input(&self) -> String {
        format!(r#"{{"crv":"{}","kty":"{}","x":"{}","y":"{}"}}"#, self.crv, self.kty, self.x, self.y)
    }
}

/// A public Ed25519 key (RFC 8037, section 2). Reading drops unknown members and refuses a private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ReadOkp")]
pub struct OkpJwk {
    pub crv: String,
    pub kty: String,
    /// 32 bytes, base64url without padding.
    pub x: String,
}

/// An [`OkpJwk`] as it is read.
#[derive(Deserialize)]
struct ReadOkp {
    crv: String,
    kty: String,
    x: String,
    #[serde(default, rename = "d")]
    _d: Absent,
}

impl From<ReadOkp> for OkpJwk {
    fn from(ReadOkp { crv, kty, x, .. }: ReadOkp) -> Self {
        Self { crv, kty, x }
    }
}

impl OkpJwk {
    /// Creates an Ed25519 key from its bytes, base64url without padding.
    pub fn ed25519(x: String) -> Self {
        Self { crv: "Ed25519".to_owned(), kty: "OKP".to_owned(), x }
    }

    /// Like [`EcJwk::thumbprint_input`] (RFC 8037, section 2).
    pub fn thumbprint_input(&self) -> String {
        format!(r#"{{"crv":"{}","kty":"{}","x":"{}"}}"#, self.crv, self.kty, self.x)
    }
}

/// A key that verifies signatures: `ES256` or `EdDSA`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VerifyingJwk {
    Ec(EcJwk),
    Okp(OkpJwk),
}

impl VerifyingJwk {
    /// Like [`EcJwk::thumbprint_input`].
    pub fn thumbprint_input(&self) -> String {
        match self {
            Self::Ec(key) => key.thumbprint_input(),
            Self::Okp(key) => key.thumbprint_input(),
        }
    }
}

/// The public half of a key that signs tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TokenJwk {
    Ec(EcJwk),
    Okp(OkpJwk),
    Rsa(RsaSigningJwk),
}

/// A public RSA key that verifies `RS256` (RFC 7518, section 6.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsaSigningJwk {
    pub e: String,
    pub kty: String,
    pub n: String,
}

impl RsaSigningJwk {
    /// Creates a key from modulus and exponent, base64url without padding.
    pub fn new(n: String, e: String) -> Self {
        Self { e, kty: "RSA".to_owned(), n }
    }

    /// Like [`EcJwk::thumbprint_input`].
    pub fn thumbprint_input(&self) -> String {
        format!(r#"{{"e":"{}","kty":"{}","n":"{}"}}"#, self.e, self.kty, self.n)
    }
}

/// One signing key in `/.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningJwk {
    #[serde(flatten)]
    pub key: TokenJwk,
    pub kid: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub usage: String,
}

/// `/.well-known/jwks.json` (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    pub keys: Vec<SigningJwk>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_private_key_is_not_read_as_a_public_one() {
        let ec = |d: Option<Value>| {
            let mut jwk = json!({"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ", "kid": "k"});
            if let Some(d) = d {
                jwk["d"] = d;
            }
            jwk
        };
        let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": "eA"});
        assert_eq!(serde_json::from_value::<EcJwk>(ec(None)).expect("read"), EcJwk::p256("eA".into(), "eQ".into()));
        assert_eq!(serde_json::from_value::<OkpJwk>(okp.clone()).expect("read"), OkpJwk::ed25519("eA".into()));
        for d in [json!("ZA"), json!(""), json!(null)] {
            assert!(serde_json::from_value::<EcJwk>(ec(Some(d.clone()))).is_err(), "{d}");
            assert!(serde_json::from_value::<VerifyingJwk>(ec(Some(d.clone()))).is_err(), "{d}");
            let mut okp = okp.clone();
            okp["d"] = d;
            assert!(serde_json::from_value::<OkpJwk>(okp.clone()).is_err(), "{okp}");
        }
    }
}
