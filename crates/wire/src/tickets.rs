//! `POST /api/tickets`: a token for one service, signed by the auth server and encrypted to the service.

use crate::jwk::EcJwk;
use crate::whole;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `typ` of the outer JWE.
pub const SEALED_TYP: &str = "ticket+jwe";
/// `typ` of the inner JWT.
pub const TYP: &str = "ticket+jwt";
/// Period that a ticket can open connections, in milliseconds.
pub const LIFETIME_MS: i64 = 5 * 60_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    /// The service's name.
    pub service: String,
    /// The version of the user key. Without it: the current one.
    #[serde(default, deserialize_with = "whole::optional", skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedTicket {
    /// Compact JWE (`ECDH-ES+A256KW`, `A256GCM`) around a compact JWS.
    pub ticket: String,
    /// The ticket's `jti`, an input of a connection's keys.
    pub jti: String,
    /// The version of the user key in the ticket.
    pub version: u32,
    /// End of the period that it can open connections, in unix milliseconds.
    pub expires_at: i64,
    /// The latest end of a connection with it, unix milliseconds.
    pub key_until: i64,
}

impl std::fmt::Debug for IssuedTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedTicket")
            .field("jti", &self.jti)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The protected header of the outer JWE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketHeader {
    pub alg: String,
    pub enc: String,
    pub typ: String,
    /// `JWT` (RFC 7519, section 5.2).
    pub cty: String,
    /// Thumbprint of the service's key.
    pub kid: String,
    pub epk: EcJwk,
}

/// The claims of the inner JWT. Times are unix seconds (RFC 7519, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketClaims {
    pub iss: String,
    /// The service's name: no other service accepts it.
    pub aud: String,
    pub sub: String,
    pub jti: String,
    pub sid: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub roles: Vec<String>,
    /// The key of the session.
    pub cnf: Confirmation,
    pub user_key: TicketUserKey,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub jkt: String,
}

/// The user key, readable by this service only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct TicketUserKey {
    pub version: u32,
    /// 32 bytes, base64url.
    pub k: String,
    /// The latest end of a connection under it, unix seconds: the end of the version's overlap. For the current
    /// version, the end that a rotation now would set.
    pub until: i64,
}

impl std::fmt::Debug for TicketUserKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key(version {}, until {})", self.version, self.until)
    }
}
