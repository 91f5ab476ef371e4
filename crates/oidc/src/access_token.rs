//! Opaque access tokens: `base64url(version | grant 16 | generation 4 | expiry 8 | scopes 1 | MAC 16)`. The MAC
//! recognises them without a row. Everything else about them is in the grant.

use crate::scope::{SUPPORTED, Scopes};
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256};
use std::fmt;

const VERSION: u8 = 2;
const BODY: usize = 1 + 16 + 4 + 8 + 1;
/// Length of the text, without padding.
const LENGTH: usize = ((BODY + 16) * 4).div_ceil(3);

/// An opaque access token that this server issued.
#[derive(Clone, PartialEq, Eq)]
pub struct OpaqueToken {
    pub grant: [u8; 16],
    /// Number of the grant's refresh that issued it.
    pub generation: u32,
    /// Expiry, unix seconds.
    pub expires_at: i64,
    /// Its scopes, which may be fewer than the grant's.
    pub scopes: Scopes,
}

impl OpaqueToken {
    /// Returns the token on the wire.
    pub fn reveal(&self, key: &[u8; 32]) -> String {
        let body = self.body();
        let tag = hmac_sha256(key, &[b"oauth access token", &body]);
        base64url(&[body.as_slice(), &tag[..16]].concat())
    }

    /// Verifies a token from the wire. `None`: it was not issued under this key.
    pub fn authenticate(key: &[u8; 32], text: &str) -> Option<Self> {
        if text.len() != LENGTH {
            return None;
        }
        let bytes = from_base64url(text)?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        if !hmac_is(key, &[b"oauth access token", body], tag) {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (grant, rest) = rest.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (expires_at, rest) = rest.split_first_chunk::<8>()?;
        let bits = *rest.first()?;
        let scopes = SUPPORTED.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
        let token = Self {
            grant: *grant,
            generation: u32::from_be_bytes(*generation),
            expires_at: i64::from_be_bytes(*expires_at),
            scopes: scopes.map(|(_, scope)| *scope).collect(),
        };
        (*version == VERSION).then_some(token)
    }

    fn body(&self) -> Vec<u8> {
        let held = SUPPORTED.iter().enumerate().filter(|(_, scope)| self.scopes.contains(scope));
        let bits = held.fold(0u8, |bits, (place, _)| bits | (1 << place));
        let parts: [&[u8]; 5] =
            [&[VERSION], &self.grant, &self.generation.to_be_bytes(), &self.expires_at.to_be_bytes(), &[bits]];
        parts.concat()
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueToken({})", base64url(&self.grant))
    }
}
