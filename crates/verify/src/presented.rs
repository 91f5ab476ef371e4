//! The access token of a request.

use crate::refusal::Scheme;
use http::{HeaderMap, header};

/// Two tokens, or a scheme without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request does not carry one access token")]
pub struct Malformed;

/// The token of `Authorization`, and how it is presented (RFC 6750, section 2.1; RFC 9449, section 7.1).
/// `None`: there is none of a scheme that is known here.
///
/// # Errors
/// `Malformed`
pub fn presented(headers: &HeaderMap) -> Result<Option<(Scheme, &str)>, Malformed> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(Malformed);
    }
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(Malformed)?;
    let Some(scheme) = Scheme::parse(scheme) else { return Ok(None) };
    let token = token.trim();
    if token.is_empty() { Err(Malformed) } else { Ok(Some((scheme, token))) }
}
