//! The `short_key`: a short-lived, one-time id for one encrypted message.
//!
//! `base64url(use | 16 random bytes | expiry | kid | origin hash | pre-login cookie hash | MAC)`. So issuing one
//! writes nothing, and refusing a forged one costs one HMAC.

use crate::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};
use crate::{CLOCK_TOLERANCE_MS, UnixMs};

/// Lifetime of a `short_key` for a message.
pub const LIFETIME_MS: i64 = 120_000;
/// Lifetime of a `short_key` for a passkey, because autofill waits as long as the person looks at the page.
pub const PASSKEY_LIFETIME_MS: i64 = 600_000;

/// Length of the use, the random bytes, expiry, key, origin and cookie, in bytes.
const BODY: usize = 1 + 16 + 8 + 32 + 32 + 32;
const LENGTH: usize = BODY + 32;

/// The use of a `short_key`. One for one use is refused for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortKeyPurpose {
    /// An encrypted message.
    Message,
    /// A sign-in with a passkey.
    PasskeySignIn,
    /// The registration of a passkey; tied to a session instead of a cookie.
    PasskeyRegistration,
}

impl ShortKeyPurpose {
    const ALL: [Self; 3] = [Self::Message, Self::PasskeySignIn, Self::PasskeyRegistration];

    pub fn lifetime_ms(self) -> i64 {
        match self {
            Self::Message => LIFETIME_MS,
            Self::PasskeySignIn | Self::PasskeyRegistration => PASSKEY_LIFETIME_MS,
        }
    }

    /// Returns the first byte, which was a version while there was one use.
    fn version(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::PasskeySignIn => 2,
            Self::PasskeyRegistration => 3,
        }
    }
}

/// The binding of a `short_key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortKeyClaims {
    /// Expiry.
    pub expires_at: UnixMs,
    /// The envelope key's thumbprint. `None` for the registration of a passkey, which encrypts nothing.
    pub kid: Option<[u8; 32]>,
    /// SHA-256 of the site's origin.
    pub origin: [u8; 32],
    /// SHA-256 of the browser's pre-login cookie, or of the session that registers a passkey. `None` for programs.
    pub cookie: Option<[u8; 32]>,
}

/// A `short_key` with a valid MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortKey {
    random: [u8; 16],
    purpose: ShortKeyPurpose,
    terms: ShortKeyClaims,
}

/// The reason for refusing a `short_key`. Only [`ShortKeyError::Forged`] is an attack. The others happen to honest
/// clients, which get a new one and try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShortKeyError {
    #[error("this server did not issue the short_key")]
    Forged,
    #[error("the short_key has expired")]
    Expired,
    /// It was issued here, but its time is in the future: a clock of ours was set back. A client cannot cause this.
    #[error("the short_key is from the future")]
    NotYet,
    #[error("the short_key is for another use, origin, cookie or key")]
    Mismatch,
}

impl ShortKey {
    /// Issues a `short_key` for a message.
    pub fn issue(key: &[u8; 32], random: [u8; 16], terms: &ShortKeyClaims) -> String {
        Self::issue_for(ShortKeyPurpose::Message, key, random, terms)
    }

    /// Issues a `short_key` for one use.
    pub fn issue_for(purpose: ShortKeyPurpose, key: &[u8; 32], random: [u8; 16], terms: &ShortKeyClaims) -> String {
        let body = Self { random, purpose, terms: *terms }.body();
        let tag = hmac_sha256(key, &[&body]);
        base64url(&[body.as_slice(), &tag].concat())
    }

    /// Parses and authenticates a `short_key`, but does not check expiry and binding yet.
    ///
    /// # Errors
    /// [`ShortKeyError::Forged`] for any invalid length, version, encoding or MAC.
    pub fn authenticate(key: &[u8; 32], text: &str) -> Result<Self, ShortKeyError> {
        Self::read(key, text).ok_or(ShortKeyError::Forged)
    }

    fn read(key: &[u8; 32], text: &str) -> Option<Self> {
        if text.len() != LENGTH.div_ceil(3) * 4 - (3 - LENGTH % 3) % 3 {
            return None;
        }
        let bytes = from_base64url(text)?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        if tag.len() != 32 || !hmac_is(key, &[body], tag) {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (random, rest) = rest.split_first_chunk::<16>()?;
        let (expires_at, rest) = rest.split_first_chunk::<8>()?;
        let (kid, rest) = rest.split_first_chunk::<32>()?;
        let (origin, rest) = rest.split_first_chunk::<32>()?;
        let (cookie, _) = rest.split_first_chunk::<32>()?;
        let terms = ShortKeyClaims {
            expires_at: UnixMs::from_millis(i64::from_be_bytes(*expires_at)),
            kid: from_field(*kid),
            origin: *origin,
            cookie: from_field(*cookie),
        };
        let purpose = ShortKeyPurpose::ALL.into_iter().find(|purpose| purpose.version() == *version)?;
        Some(Self { random: *random, purpose, terms })
    }

    /// Checks use, time and binding. Another node may have issued it, so clocks may differ by [`CLOCK_TOLERANCE_MS`].
    ///
    /// # Errors
    /// [`ShortKeyError::Expired`] or [`ShortKeyError::NotYet`] by the clock, or [`ShortKeyError::Mismatch`] if `kid` is
    /// not in `kids`, or for another use or origin, or for none of the cookies.
    pub fn check(
        &self,
        purpose: ShortKeyPurpose,
        kids: &[[u8; 32]],
        origin: &[u8; 32],
        cookies: &[[u8; 32]],
        now: UnixMs,
    ) -> Result<(), ShortKeyError> {
        if self.purpose != purpose {
            return Err(ShortKeyError::Mismatch);
        }
        let early = now + purpose.lifetime_ms() + CLOCK_TOLERANCE_MS;
        if self.terms.expires_at > early {
            return Err(ShortKeyError::NotYet);
        }
        if now >= self.terms.expires_at + CLOCK_TOLERANCE_MS {
            return Err(ShortKeyError::Expired);
        }
        let known = match &self.terms.kid {
            Some(kid) => kids.contains(kid),
            None => purpose == ShortKeyPurpose::PasskeyRegistration,
        };
        // A browser sends every cookie of a name, and on plain http others can set one.
        let bound = self.terms.cookie.map_or(cookies.is_empty(), |own| cookies.contains(&own));
        if known && self.terms.origin == *origin && bound { Ok(()) } else { Err(ShortKeyError::Mismatch) }
    }

    /// Returns the id to burn in the store: unique to this `short_key`, and useless for forging one.
    pub fn id(&self) -> String {
        base64url(&self.random)
    }

    pub fn kid(&self) -> Option<[u8; 32]> {
        self.terms.kid
    }

    /// Whether it was issued to a program, which has no cookies.
    pub fn is_for_program(&self) -> bool {
        self.terms.cookie.is_none()
    }

    pub fn expires_at(&self) -> UnixMs {
        self.terms.expires_at
    }

    fn body(&self) -> [u8; BODY] {
        let mut body = [0; BODY];
        let (kid, cookie) = (field(self.terms.kid), field(self.terms.cookie));
        let parts: [&[u8]; 6] = [
            &[self.purpose.version()],
            &self.random,
            &self.terms.expires_at.as_millis().to_be_bytes(),
            &kid,
            &self.terms.origin,
            &cookie,
        ];
        for (slot, byte) in body.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
        body
    }
}

/// Returns the bytes of a hash in a `short_key`: zeros if there is none, which no known input of SHA-256 gives.
fn field(hash: Option<[u8; 32]>) -> [u8; 32] {
    hash.unwrap_or_default()
}

fn from_field(bytes: [u8; 32]) -> Option<[u8; 32]> {
    (bytes != [0; 32]).then_some(bytes)
}

/// Returns the hash of an origin or cookie for the binding.
pub fn hash(text: &str) -> [u8; 32] {
    sha256(text.as_bytes())
}
