//! Answers 400 to requests whose target, host or length is ambiguous.

use domain::authority::Authority;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};

/// The reason why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTarget {
    #[error("The request names no path.")]
    NoPath,
    #[error("The request has no host, or more than one.")]
    Hosts,
    #[error("The length of the body is ambiguous.")]
    Length,
}

/// Normalises all forms of targets. Afterwards the target is the path with its query, and the host is in the header
/// `Host` (RFC 9112, section 3.2; RFC 9113, section 8.3.1).
///
/// # Errors
/// `CONNECT`, `*`, and authorities without a path; no host, several, or one that differs from the target's; a body with
/// two lengths, or with a transfer coding other than `chunked`.
pub(crate) fn settle(parts: &mut Parts) -> Result<(), InvalidTarget> {
    let http2 = parts.version >= Version::HTTP_2;
    if parts.method == Method::CONNECT || !parts.uri.path().starts_with('/') {
        return Err(InvalidTarget::NoPath);
    }
    if !matches!(parts.uri.scheme_str(), None | Some("http" | "https")) {
        return Err(InvalidTarget::NoPath);
    }
    framing(&parts.headers)?;
    let target = parts.uri.authority().map(|authority| authority.as_str().to_owned());
    let https = parts.uri.scheme_str() == Some("https");
    let host = host(&parts.headers, target.as_deref(), https, parts.version)?;
    if let Some(host) = host {
        parts.headers.insert(HOST, host);
    }
    if target.is_some() {
        parts.uri = path_of(&parts.uri);
    }
    if http2 {
        join_cookies(&mut parts.headers);
    }
    Ok(())
}

/// Returns the value for the header `Host`, if it must be set. `https`: the scheme of the target.
fn host(
    headers: &HeaderMap,
    target: Option<&str>,
    https: bool,
    version: Version,
) -> Result<Option<HeaderValue>, InvalidTarget> {
    let mut named = headers.get_all(HOST).iter();
    let (first, more) = (named.next(), named.next().is_some());
    let header = first.map(HeaderValue::to_str).transpose().map_err(|_| InvalidTarget::Hosts)?;
    let readable = [header, target].into_iter().flatten().all(is_host);
    if more || !readable {
        return Err(InvalidTarget::Hosts);
    }
    match (header, target) {
        (Some(header), Some(target)) if !is_same(header, target, https) => Err(InvalidTarget::Hosts),
        (None, Some(target)) if version != Version::HTTP_11 => {
            HeaderValue::from_str(target).map(Some).map_err(|_| InvalidTarget::Hosts)
        }
        // Before HTTP/1.1 a request needed no host.
        (None, None) if version <= Version::HTTP_10 => Ok(None),
        (None, _) => Err(InvalidTarget::Hosts),
        (Some(_), _) => Ok(None),
    }
}

fn is_same(one: &str, other: &str, https: bool) -> bool {
    let read = |text| Authority::parse(text, https);
    read(one).is_ok_and(|one| read(other) == Ok(one))
}

fn is_host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.len() <= 261 && host.bytes().all(allowed)
}

fn framing(headers: &HeaderMap) -> Result<(), InvalidTarget> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    let both = headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH);
    if chunked && codings.next().is_none() && !both { Ok(()) } else { Err(InvalidTarget::Length) }
}

fn path_of(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::from(path)
}

/// Joins cookies that HTTP/2 may split for compression, because handlers read one line (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return };
    let all: Vec<_> = [first, second].into_iter().chain(lines).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(b"; ".as_slice())) {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(method: &str, target: &str, version: Version, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(target).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn every_form_of_target_becomes_one_or_none() {
        let own = ("host", "localhost:3000");
        for (method, target, version, headers, expected) in [
            ("GET", "/x?y", Version::HTTP_11, [own].as_slice(), Ok("/x?y")),
            ("GET", "//x", Version::HTTP_11, &[own], Ok("//x")),
            ("GET", "http://localhost:3000/x?y", Version::HTTP_11, &[own], Ok("/x?y")),
            ("GET", "http://LOCALHOST:3000", Version::HTTP_11, &[own], Ok("/")),
            ("GET", "http://localhost.:3000/", Version::HTTP_11, &[own], Ok("/")),
            ("GET", "http://localhost:80/", Version::HTTP_11, &[("host", "localhost")], Ok("/")),
            ("GET", "http://[::1]/", Version::HTTP_11, &[("host", "[0:0:0:0:0:0:0:1]:80")], Ok("/")),
            ("GET", "http://localhost:443/", Version::HTTP_11, &[("host", "localhost")], Err(InvalidTarget::Hosts)),
            ("GET", "http://localhost:3000?y", Version::HTTP_11, &[own], Ok("/?y")),
            ("GET", "/", Version::HTTP_10, &[], Ok("/")),
            ("GET", "http://localhost:3000/x", Version::HTTP_10, &[], Ok("/x")),
            ("GET", "https://localhost:3000/x", Version::HTTP_2, &[], Ok("/x")),
            ("GET", "localhost:3000", Version::HTTP_11, &[own], Err(InvalidTarget::NoPath)),
            ("CONNECT", "localhost:3000", Version::HTTP_11, &[own], Err(InvalidTarget::NoPath)),
            ("CONNECT", "localhost:3000", Version::HTTP_2, &[], Err(InvalidTarget::NoPath)),
            ("OPTIONS", "*", Version::HTTP_11, &[own], Err(InvalidTarget::NoPath)),
            ("GET", "ftp://localhost:3000/x", Version::HTTP_11, &[own], Err(InvalidTarget::NoPath)),
            ("GET", "http://elsewhere/x", Version::HTTP_11, &[own], Err(InvalidTarget::Hosts)),
            ("GET", "http://u@localhost:3000/x", Version::HTTP_11, &[own], Err(InvalidTarget::Hosts)),
            ("GET", "http://localhost:3000/x", Version::HTTP_11, &[], Err(InvalidTarget::Hosts)),
            ("GET", "/", Version::HTTP_11, &[], Err(InvalidTarget::Hosts)),
            ("GET", "/", Version::HTTP_2, &[], Err(InvalidTarget::Hosts)),
            ("GET", "/", Version::HTTP_11, &[own, own], Err(InvalidTarget::Hosts)),
            ("GET", "/", Version::HTTP_11, &[("host", "")], Err(InvalidTarget::Hosts)),
            ("GET", "/", Version::HTTP_11, &[("host", "a/b")], Err(InvalidTarget::Hosts)),
            ("GET", "/", Version::HTTP_11, &[("host", "ä")], Err(InvalidTarget::Hosts)),
            ("POST", "/", Version::HTTP_11, &[own, ("transfer-encoding", "gzip, chunked")], Err(InvalidTarget::Length)),
            (
                "POST",
                "/",
                Version::HTTP_11,
                &[own, ("transfer-encoding", "chunked"), ("content-length", "3")],
                Err(InvalidTarget::Length),
            ),
        ] {
            let mut parts = parts(method, target, version, headers);
            let settled = settle(&mut parts).map(|()| parts.uri.to_string());
            assert_eq!(settled, expected.map(str::to_owned), "{method} {target} {headers:?}");
            if version == Version::HTTP_2 && expected.is_ok() {
                assert_eq!(parts.headers[HOST], "localhost:3000");
            }
        }
    }

    #[test]
    fn split_cookies_are_one_line() {
        let mut parts = parts("GET", "https://x/", Version::HTTP_2, &[("cookie", "a=1"), ("cookie", "b=2; c=3")]);
        settle(&mut parts).expect("settled");
        assert_eq!(parts.headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2; c=3"]);
    }
}
