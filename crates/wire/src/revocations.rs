//! `GET /.well-known/revocations`: what those who check tokens by themselves must not take any more. A compact JWS.

use serde::{Deserialize, Serialize};

/// `typ` of the JWS.
pub const TYP: &str = "revocations+jwt";
/// Media type of the answer: `typ` in full (RFC 7515, section 4.1.9).
pub const MEDIA_TYPE: &str = "application/revocations+jwt";
/// How long a list may be believed. A younger one is to be had all the time.
pub const LIFETIME_SECONDS: i64 = 180;

/// What the list says. Times are unix seconds (RFC 7519, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The beginning of the minute in which it was made.
    pub iat: i64,
    pub exp: i64,
    /// Sessions that were ended: of each the first 9 bytes of the SHA-256 of its `sid`, base64url. In order.
    pub sessions: Vec<String>,
    /// Signing keys that were revoked: their `kid`. In order.
    pub keys: Vec<String>,
}
