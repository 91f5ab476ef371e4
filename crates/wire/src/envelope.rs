//! The encrypted envelope: compact JWE (RFC 7516), `RSA-OAEP-256` and `A256GCM`.

use crate::jwk::EcJwk;
use serde::{Deserialize, Serialize};

pub const ALG: &str = "RSA-OAEP-256";
pub const ENC: &str = "A256GCM";

/// The purpose of an envelope. An envelope for one purpose is refused for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnvelopeKind {
    #[serde(rename = "login+jwe")]
    Login,
    #[serde(rename = "signup+jwe")]
    Signup,
    #[serde(rename = "password+jwe")]
    Password,
    #[serde(rename = "reset+jwe")]
    Reset,
    #[serde(rename = "deletion+jwe")]
    Deletion,
    #[serde(rename = "second-factor+jwe")]
    SecondFactor,
    #[serde(rename = "confirmation+jwe")]
    Confirmation,
    #[serde(rename = "passkey+jwe")]
    Passkey,
}

/// The JWE protected header. Every byte of it is associated data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeHeader {
    pub alg: String,
    pub enc: String,
    /// Thumbprint of the server's envelope key.
    pub kid: String,
    pub typ: EnvelopeKind,
    /// The `short_key`.
    pub sk: String,
    /// The origin of the encrypting page.
    pub org: String,
    /// The client's signing key, if any; the session is bound to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<EcJwk>,
    /// The client's receiving key (ECDH), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enc_jwk: Option<EcJwk>,
    /// Unix seconds by the client's clock, for diagnosis only; not checked.
    pub iat: i64,
}
