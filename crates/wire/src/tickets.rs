//! `POST /api/tickets`: a token for one service, signed by the auth server and sealed to the service.

use crate::jwk::EcJwk;
use crate::whole;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `typ` of the outer JWE.
pub const SEALED_TYP: &str = "ticket+jwe";
/// `typ` of the JWT inside.
pub const TYP: &str = "ticket+jwt";
/// How long a ticket opens connections.
pub const LIFETIME_MS: i64 = 5 * 60_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The service's name.
    pub service: String,
    /// The version of the user's key to talk under. Without one: the current.
    #[serde(default, deserialize_with = "whole::optional", skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Compact JWE (`ECDH-ES+A256KW`, `A256GCM`) around a compact JWS.
    pub ticket: String,
    /// The ticket's `jti`, which goes into the keys of a connection.
    pub jti: String,
    /// The version of the user's key inside.
    pub version: u32,
    /// Until when it opens connections, unix milliseconds.
    pub expires_at: i64,
    /// Until when a connection may run with it, unix milliseconds.
    pub key_until: i64,
}

/// The protected header of the outer JWE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub alg: String,
    pub enc: String,
    pub typ: String,
    /// `JWT` (RFC 7519, section 5.2).
    pub cty: String,
    /// Thumbprint of the service's key.
    pub kid: String,
    pub epk: EcJwk,
}

/// What the JWT inside says. Times are unix seconds (RFC 7519, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The service's name: no other service takes it.
    pub aud: String,
    pub sub: String,
    pub jti: String,
    pub sid: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub roles: Vec<String>,
    /// The client key that the session is bound to.
    pub cnf: Confirmation,
    pub user_key: Key,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub jkt: String,
}

/// The user's key, for this service's eyes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Key {
    pub version: u32,
    /// 32 bytes, base64url.
    pub k: String,
    /// Until when a connection may run under it, unix seconds: the end of the version's overlap; for
    /// the current version the end of the overlap that a rotation now would give it.
    pub until: i64,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key(version {}, until {})", self.version, self.until)
    }
}
