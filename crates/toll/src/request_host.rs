//! Refuses requests that two programs could interpret differently.

use crate::gate_problem::GateProblem;
use domain::authority::Authority;
use http::{HeaderMap, Method, Version, header, request::Parts};

/// Returns the host and port that a request names. `https`: the clients' scheme, whose default port is left out.
///
/// # Errors
/// The request has no host, or more than one (RFC 9112, section 3.2); it opens a tunnel; or its body has another
/// encoding than `chunked`, the only one that is decoded here. The HTTP library refuses a request with two lengths
/// before.
pub(crate) fn host(parts: &Parts, https: bool) -> Result<Authority, GateProblem> {
    if parts.method == Method::CONNECT || !parts.uri.path().starts_with('/') {
        return Err(GateProblem::bad_request("The request target has no path."));
    }
    framing(&parts.headers)?;
    let mut named = parts.headers.get_all(header::HOST).iter();
    let (first, more) = (named.next(), named.next().is_some());
    if more {
        return Err(GateProblem::bad_request("The request has more than one host."));
    }
    let read =
        |text: &str| Authority::parse(text, https).map_err(|_| GateProblem::bad_request("The host is not readable."));
    let header = first.map(|host| read(host.to_str().unwrap_or_default())).transpose()?;
    let target = parts.uri.authority().map(|authority| read(authority.as_str())).transpose()?;
    match (header, target) {
        (Some(header), Some(target)) if header != target => {
            Err(GateProblem::bad_request("The request has more than one host."))
        }
        (None, _) if parts.version < Version::HTTP_2 => Err(GateProblem::bad_request("The request has no host.")),
        (header, target) => header.or(target).ok_or_else(|| GateProblem::bad_request("The request has no host.")),
    }
}

fn framing(headers: &HeaderMap) -> Result<(), GateProblem> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    let both = headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH);
    if chunked && codings.next().is_none() && !both {
        return Ok(());
    }
    Err(GateProblem::bad_request("The body's length is ambiguous."))
}
