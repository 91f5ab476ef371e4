//! `GET /api/challenge`: the input for encrypting a message.

use crate::jwk::RsaJwk;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// One-time and short-lived; part of the envelope's header and of the body.
    pub short_key: String,
    /// Expiry of `short_key`, in unix milliseconds by the server's clock.
    pub expires_at: i64,
    /// The server's time now, unix milliseconds.
    pub now: i64,
    /// The public key to encrypt with.
    pub key: RsaJwk,
}
