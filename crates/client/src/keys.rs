//! The client's two P-256 key pairs: one signs proofs, the other decrypts what is encrypted to this session.

use crate::{Environment, Error, Result};
use domain::encoding::{base64url, from_base64url, sha256};
use jwe::PrivateKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde::Deserialize;
use serde_json::json;
use wire::jwk::EcJwk;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub struct ClientKeys {
    signing: ProofKey,
    receiving: PrivateKey,
}

/// A key pair that signs proofs of possession.
pub struct ProofKey {
    key: SigningKey,
    jwk: Zeroizing<String>,
    public: EcJwk,
}

/// The content of a proof (RFC 9449, section 4.2).
#[derive(Debug, Clone, Copy)]
pub struct ProofClaims<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub nonce: Option<&'a str>,
    /// The token of the request.
    pub token: Option<&'a str>,
    /// A point for agreeing on a key with a paid gate.
    pub mac_epk: Option<&'a str>,
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct PrivateHalf {
    d: String,
}

impl ClientKeys {
    /// Generates both key pairs.
    ///
    /// # Errors
    /// The random source failed.
    pub fn generate(environment: &dyn Environment) -> Result<Self> {
        Ok(Self { signing: ProofKey::generate(environment)?, receiving: generate(environment)? })
    }

    /// Restores keys from [`ProofKey::jwk`] and [`Self::receiving_jwk`].
    ///
    /// # Errors
    /// The texts are not such keys.
    pub(crate) fn from_jwks(signing: &str, receiving: &str) -> Result<Self> {
        let receiving = PrivateKey::from_jwk(receiving).map_err(|_| Error::Key)?;
        Ok(Self { signing: ProofKey::from_jwk(signing)?, receiving })
    }

    pub fn signing(&self) -> &ProofKey {
        &self.signing
    }

    /// Returns the key with its private half.
    pub(crate) fn receiving_jwk(&self) -> Zeroizing<String> {
        self.receiving.to_jwk()
    }

    /// Returns the public halves: signing, receiving.
    pub fn public(&self) -> (EcJwk, EcJwk) {
        (self.signing.public.clone(), self.receiving.public())
    }

    pub(crate) fn receiving(&self) -> &PrivateKey {
        &self.receiving
    }
}

impl ProofKey {
    /// Generates a key pair.
    ///
    /// # Errors
    /// The random source failed.
    pub fn generate(environment: &dyn Environment) -> Result<Self> {
        Self::new(&generate(environment)?)
    }

    /// Restores a key from [`Self::jwk`].
    ///
    /// # Errors
    /// The text is not such a key.
    pub fn from_jwk(jwk: &str) -> Result<Self> {
        Self::new(&PrivateKey::from_jwk(jwk).map_err(|_| Error::Key)?)
    }

    fn new(pair: &PrivateKey) -> Result<Self> {
        let jwk = pair.to_jwk();
        let half: PrivateHalf = serde_json::from_str(&jwk).map_err(|_| Error::Key)?;
        let bytes = Zeroizing::new(from_base64url(&half.d).ok_or(Error::Key)?);
        Ok(Self { key: SigningKey::from_slice(&bytes).map_err(|_| Error::Key)?, public: pair.public(), jwk })
    }

    /// Returns the key with its private half.
    pub fn jwk(&self) -> &str {
        &self.jwk
    }

    pub fn public(&self) -> &EcJwk {
        &self.public
    }

    /// Makes a proof that this client holds the key.
    ///
    /// # Errors
    /// The random source failed.
    pub fn prove(&self, environment: &dyn Environment, claims: ProofClaims<'_>) -> Result<String> {
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.public});
        let mut payload = json!({
            "jti": base64url(&environment.bytes::<16>()?),
            "htm": claims.method,
            "htu": claims.url,
            "iat": environment.now() / 1000,
        });
        if let Some(nonce) = claims.nonce {
            payload["nonce"] = nonce.into();
        }
        if let Some(token) = claims.token {
            payload["ath"] = base64url(&sha256(token.as_bytes())).into();
        }
        if let Some(point) = claims.mac_epk {
            payload["mac_epk"] = point.into();
        }
        let part = |value: &serde_json::Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&payload));
        Ok(format!("{message}.{}", base64url(&self.sign(&message))))
    }

    /// Signs with ECDSA over SHA-256; returns r and s.
    pub(crate) fn sign(&self, message: &str) -> [u8; 64] {
        let signature: Signature = self.key.sign(message.as_bytes());
        signature.to_bytes().into()
    }
}

fn generate(environment: &dyn Environment) -> Result<PrivateKey> {
    PrivateKey::generate(&Zeroizing::new(environment.bytes()?)).map_err(|_| Error::Random)
}

impl std::fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientKeys(..)")
    }
}

impl std::fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProofKey(..)")
    }
}
