//! The access token of a request.

use crate::refusal::Scheme;
use http::{HeaderMap, header};

/// An `Authorization` without a well-formed token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAuthorization {
    /// There are two: `invalid_request` (RFC 6750, section 3.1).
    #[error("the request does not contain exactly one access token")]
    Request,
    /// The token is empty or has characters that no token has: `invalid_token`.
    #[error("the access token is empty or has invalid characters")]
    Token(Scheme),
}

/// Returns the token of `Authorization` and its scheme (RFC 6750, section 2.1; RFC 9449, section 7.1). `None`: no token
/// of a known scheme is present.
///
/// # Errors
/// [`MalformedAuthorization`]
pub fn presented(headers: &HeaderMap) -> Result<Option<(Scheme, &str)>, MalformedAuthorization> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(MalformedAuthorization::Request);
    }
    let value = value.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(space);
    let Some(scheme) = std::str::from_utf8(scheme).ok().and_then(Scheme::parse) else { return Ok(None) };
    match std::str::from_utf8(token.trim_ascii()) {
        Ok(token) if !token.is_empty() && token.bytes().all(is_of_token) => Ok(Some((scheme, token))),
        _ => Err(MalformedAuthorization::Token(scheme)),
    }
}

/// Whether a `b64token` may have this character (RFC 6750, section 2.1).
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}
