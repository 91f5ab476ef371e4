//! Signature algorithms.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm};
use jsonwebtoken::Validation;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A signature algorithm that Postern signs with and accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// For ID tokens, because every `OpenID` client supports it.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// Returns its name in JOSE headers (RFC 7518, section 3.1; RFC 8037, section 3.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// Returns the algorithm of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Es256, Self::EdDsa, Self::Rs256].into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    pub(crate) fn named(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }

    pub(crate) fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::EdDsa => &ED25519,
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        }
    }

    /// Returns a validation that accepts only this algorithm. The caller checks the claims, with its own clock.
    pub(crate) fn validation(self) -> &'static Validation {
        static ES256: LazyLock<Validation> = LazyLock::new(|| signature_alone(Algorithm::Es256));
        static EDDSA: LazyLock<Validation> = LazyLock::new(|| signature_alone(Algorithm::EdDsa));
        static RS256: LazyLock<Validation> = LazyLock::new(|| signature_alone(Algorithm::Rs256));
        match self {
            Self::Es256 => &ES256,
            Self::EdDsa => &EDDSA,
            Self::Rs256 => &RS256,
        }
    }
}

fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm.named());
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
