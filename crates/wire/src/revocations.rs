//! `GET /.well-known/revocations`: sessions and keys that verifiers of tokens must no longer accept. A compact JWS.

use serde::{Deserialize, Serialize};

/// `typ` of the JWS.
pub const TYP: &str = "revocations+jwt";
/// Media type of the answer: `typ` in full (RFC 7515, section 4.1.9).
pub const MEDIA_TYPE: &str = "application/revocations+jwt";
/// Period that a list may be used, in seconds. A newer one is always available.
pub const LIFETIME_SECONDS: i64 = 180;

/// The content of the list. Times are unix seconds (RFC 7519, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationClaims {
    pub iss: String,
    /// The start of the minute in which it was made.
    pub iat: i64,
    pub exp: i64,
    /// Marks of ended sessions in order: the first 9 bytes of the SHA-256 of the `sid`, base64url.
    pub sessions: Vec<String>,
    /// The `kid`s of revoked signing keys, in order.
    pub keys: Vec<String>,
}
