//! `GET /api/challenge`: what a sealed message needs before it can be sealed.

use crate::jwk::RsaJwk;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// One-time and short-lived; goes into the envelope's header and beside it.
    pub short_key: String,
    /// When `short_key` runs out, unix milliseconds by the server's clock.
    pub expires_at: i64,
    /// The server's time now, unix milliseconds.
    pub now: i64,
    /// What to seal with.
    pub key: RsaJwk,
}
