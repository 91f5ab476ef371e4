//! The refresh token: opaque to clients, authenticated by the server.
//!
//! `base64url(version | session id 16 | generation 4 | secret 32 | MAC 16)`. The MAC distinguishes a spent token (its
//! reuse ends the session) from an invented one (which ends nothing, because session ids are not secret). The
//! successor's secret is derived, so that any node can repeat the answer after a crash, and no plain token is stored.
//!
//! The key of the MAC and of the successor is rotated. A token of an expired key is still valid if its session holds
//! the hash of its secret.

use crate::encoding::{base64url, from_base64url, hmac_is, hmac_sha256};
use crate::token_hash::TokenHash;
use std::fmt;

const VERSION: u8 = 1;
const BODY: usize = 1 + 16 + 4 + 32;

/// A refresh token that this server issued at some time. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    session: [u8; 16],
    generation: u32,
    secret: [u8; 32],
}

impl RefreshToken {
    /// Returns the first token of a session.
    pub fn first(session: [u8; 16], secret: [u8; 32]) -> Self {
        Self { session, generation: 0, secret }
    }

    /// Returns the only successor of this token: HMAC(key, session | generation | this secret).
    #[must_use]
    pub fn successor(&self, key: &[u8; 32]) -> Self {
        let generation = self.generation.wrapping_add(1);
        let secret = hmac_sha256(key, &[b"refresh successor", &self.session, &generation.to_be_bytes(), &self.secret]);
        Self { session: self.session, generation, secret }
    }

    pub fn session(&self) -> [u8; 16] {
        self.session
    }

    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns the hash that the store keeps.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.secret)
    }

    /// Returns the token on the wire.
    pub fn reveal(&self, key: &[u8; 32]) -> String {
        let body = self.body();
        let tag = hmac_sha256(key, &[b"refresh token", &body]);
        base64url(&[body.as_slice(), &tag[..16]].concat())
    }

    /// Verifies a token from the wire; `None` if this server did not issue it.
    pub fn authenticate(key: &[u8; 32], text: &str) -> Option<Self> {
        if text.len() != (BODY + 16).div_ceil(3) * 4 {
            return None;
        }
        let bytes = from_base64url(text)?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        if !hmac_is(key, &[b"refresh token", body], tag) {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (secret, _) = rest.split_first_chunk::<32>()?;
        let token = Self { session: *session, generation: u32::from_be_bytes(*generation), secret: *secret };
        (*version == VERSION).then_some(token)
    }

    fn body(&self) -> [u8; BODY] {
        let mut body = [0; BODY];
        let parts: [&[u8]; 4] = [&[VERSION], &self.session, &self.generation.to_be_bytes(), &self.secret];
        for (slot, byte) in body.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
        body
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken(generation {})", self.generation)
    }
}
