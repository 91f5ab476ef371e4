//! Opaque access tokens: `base64url(version | grant 16 | generation 4 | expiry 8 | scopes 1 | MAC 16)`. The MAC
//! recognises them without a row. Everything else about them is in the grant. A token for some of the grant's resources
//! has another version, and 8 bytes with their places before the MAC.

use crate::scope::{SUPPORTED, Scopes};
use domain::UnixSeconds;
use domain::encoding::{base64url, from_base64url, hmac_is, hmac_sha256};
use std::fmt;

/// The version of tokens for all resources of their grant.
const FOR_ALL: u8 = 2;
/// The version of tokens for some of them.
const FOR_SOME: u8 = 3;
const TAG: usize = 16;
const BODY: usize = 1 + 16 + 4 + 8 + 1;
/// Maximum length of the text, without padding.
const LONGEST: usize = ((BODY + 8 + TAG) * 4).div_ceil(3);

/// An opaque access token that this server issued.
#[derive(Clone, PartialEq, Eq)]
pub struct OpaqueToken {
    pub grant: [u8; 16],
    /// Number of the grant's refresh that issued it.
    pub generation: u32,
    pub expires_at: UnixSeconds,
    /// Its scopes, which may be fewer than the grant's.
    pub scopes: Scopes,
    pub targets: Targets,
}

/// The resources of a token among those of its grant (RFC 8707, section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    All,
    /// A bit for each place in the grant's list. A request has at most 64 parameters, so no grant has more resources.
    Part(u64),
}

impl Targets {
    /// Returns the places of these resources in the grant's list.
    pub fn among(granted: &[String], targets: &[String]) -> Self {
        if granted.iter().all(|resource| targets.contains(resource)) {
            return Self::All;
        }
        let held = granted.iter().zip(0..u64::BITS).filter(|(resource, _)| targets.contains(resource));
        Self::Part(held.fold(0, |bits, (_, place)| bits | (1 << place)))
    }

    /// Returns the resources at these places of the grant's list.
    pub fn of(self, granted: &[String]) -> Vec<&str> {
        let all = granted.iter().map(String::as_str);
        match self {
            Self::All => all.collect(),
            Self::Part(bits) => {
                all.zip(0..u64::BITS).filter(|(_, place)| bits & (1 << place) != 0).map(|(one, _)| one).collect()
            }
        }
    }
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
        if text.len() > LONGEST {
            return None;
        }
        let bytes = from_base64url(text)?;
        let (body, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        if !hmac_is(key, &[b"oauth access token", body], tag) {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (grant, rest) = rest.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (expires_at, rest) = rest.split_first_chunk::<8>()?;
        let (bits, rest) = rest.split_first()?;
        let targets = match (*version, rest) {
            (FOR_ALL, []) => Targets::All,
            (FOR_SOME, places) => Targets::Part(u64::from_be_bytes(places.try_into().ok()?)),
            _ => return None,
        };
        let scopes = SUPPORTED.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
        Some(Self {
            grant: *grant,
            generation: u32::from_be_bytes(*generation),
            expires_at: UnixSeconds::from_seconds(i64::from_be_bytes(*expires_at)),
            scopes: scopes.map(|(_, scope)| *scope).collect(),
            targets,
        })
    }

    fn body(&self) -> Vec<u8> {
        let held = SUPPORTED.iter().enumerate().filter(|(_, scope)| self.scopes.contains(scope));
        let bits = held.fold(0u8, |bits, (place, _)| bits | (1 << place));
        let (version, places) = match self.targets {
            Targets::All => (FOR_ALL, Vec::new()),
            Targets::Part(places) => (FOR_SOME, places.to_be_bytes().to_vec()),
        };
        let parts: [&[u8]; 6] = [
            &[version],
            &self.grant,
            &self.generation.to_be_bytes(),
            &self.expires_at.as_seconds().to_be_bytes(),
            &[bits],
            &places,
        ];
        parts.concat()
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueToken({})", base64url(&self.grant))
    }
}
