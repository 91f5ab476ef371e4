//! Verification of signed tokens (RFC 7519).

use crate::error::TokenError;
use domain::encoding::from_base64url;
use domain::{UnixMs, UnixSeconds};
use jose::PublicKey;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::fmt;

/// Clock tolerance in both directions.
const SKEW_SECONDS: i64 = 30;
pub(crate) const LONGEST_TOKEN: usize = 16 * 1024;

/// The claims that a token must have.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedClaims<'a> {
    /// The header's `typ`: a token of another kind is refused.
    pub typ: &'a str,
    pub issuer: &'a str,
    pub audience: &'a str,
}

#[derive(Deserialize)]
struct TokenHeader {
    typ: String,
    kid: String,
}

#[derive(Deserialize)]
pub(crate) struct RegisteredClaims {
    iss: String,
    aud: Audience,
    exp: UnixSeconds,
    nbf: UnixSeconds,
    /// The session, if any.
    pub(crate) sid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Returns the claims of a valid token. The key determines the algorithm, never the token.
///
/// # Errors
/// The token is invalid.
pub fn verify<C: DeserializeOwned>(
    token: &str,
    key: &PublicKey,
    expected: ExpectedClaims<'_>,
    now: UnixMs,
) -> Result<C, TokenError> {
    let unverified = UnverifiedToken::parse(token, expected.typ, LONGEST_TOKEN)?;
    serde_json::from_str(judge(unverified, key, expected, now)?.1.get()).map_err(|_| TokenError::Claims)
}

/// Checks the claims that all tokens have. Returns them, and all claims.
pub(crate) fn judge(
    unverified: UnverifiedToken<'_>,
    key: &PublicKey,
    expected: ExpectedClaims<'_>,
    now: UnixMs,
) -> Result<(RegisteredClaims, Box<RawValue>), TokenError> {
    let all: Box<RawValue> = unverified.claims(key)?;
    let claims: RegisteredClaims = serde_json::from_str(all.get()).map_err(|_| TokenError::Claims)?;
    let named = match &claims.aud {
        Audience::One(audience) => audience == expected.audience,
        Audience::Many(audiences) => audiences.iter().any(|audience| audience == expected.audience),
    };
    let now = now.to_seconds();
    if claims.iss != expected.issuer {
        Err(TokenError::Issuer)
    } else if !named {
        Err(TokenError::Audience)
    } else if now >= claims.exp + SKEW_SECONDS {
        Err(TokenError::Expired)
    } else if now < claims.nbf - SKEW_SECONDS {
        Err(TokenError::TooEarly)
    } else {
        Ok((claims, all))
    }
}

/// A token of one kind whose header was read. Its content must not be used before its signature is verified.
pub struct UnverifiedToken<'a> {
    header: TokenHeader,
    token: &'a str,
}

impl<'a> UnverifiedToken<'a> {
    /// Parses a token. `longest`: its maximum length in bytes.
    ///
    /// # Errors
    /// It is too long, not a signed token, of another kind than `typ`, or requires an extension.
    pub fn parse(token: &'a str, typ: &str, longest: usize) -> Result<Self, TokenError> {
        let header = token.split_once('.').filter(|_| token.len() <= longest).map(|(header, _)| header);
        let header = header.and_then(from_base64url).ok_or(TokenError::Malformed)?;
        let header: TokenHeader = wire::jose::header(&header).map_err(|_| TokenError::Malformed)?;
        if header.typ == typ { Ok(Self { header, token }) } else { Err(TokenError::Malformed) }
    }

    /// Returns the id of the key that the token names.
    pub fn kid(&self) -> &str {
        &self.header.kid
    }

    /// Returns the claims, verified with `key`.
    ///
    /// # Errors
    /// It has another algorithm than the key, was not signed by the key, or has other claims.
    pub fn claims<C: DeserializeOwned>(self, key: &PublicKey) -> Result<C, TokenError> {
        key.verify(self.token).map_err(|error| match error {
            jose::Error::Signature => TokenError::Signature,
            jose::Error::Claims => TokenError::Claims,
            jose::Error::Malformed | jose::Error::Sign(_) => TokenError::Malformed,
        })
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is not verified, and some of it may be secret.
        write!(f, "Unverified({})", self.header.kid)
    }
}
