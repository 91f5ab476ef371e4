//! Redirect URIs: their registration, and their comparison with presented ones.

use std::net::IpAddr;

/// Maximum length in bytes.
const LONGEST: usize = 1024;
/// Maximum length in bytes of a client id that is a URL.
const LONGEST_ID: usize = 512;
/// Loopback addresses whose port may differ from the registered one (RFC 8252, section 7.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];
/// The name of the loopback addresses. Its port may differ only if none is registered.
const LOCALHOST: &str = "http://localhost";

/// The reason why a URI cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUri {
    #[error("it is longer than 1,024 bytes")]
    Long,
    #[error("it is not an absolute URI of printable ASCII characters")]
    Form,
    #[error("it has a fragment")]
    Fragment,
    #[error("it has a user name or password")]
    UserInfo,
    #[error("plain http is allowed for localhost and loopback addresses only")]
    PlainHttp,
    #[error("the scheme must be https, http for loopback, or a private-use scheme with a dot such as com.example.app")]
    Scheme,
    #[error("wildcards are not supported: register each URI")]
    Wildcard,
}

/// Checks a URI of a client's registration.
///
/// # Errors
/// The reason why it cannot be registered.
pub fn check(uri: &str) -> Result<(), InvalidUri> {
    if uri.len() > LONGEST {
        return Err(InvalidUri::Long);
    }
    let plain =
        |c: u8| c.is_ascii_graphic() && !matches!(c, b'\\' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'^' | b'|');
    let (scheme, rest) = uri.split_once(':').ok_or(InvalidUri::Form)?;
    let of_scheme = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'+' | b'-' | b'.');
    let letter_first = scheme.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
    if !uri.bytes().all(plain) || !letter_first || !scheme.bytes().all(of_scheme) {
        return Err(InvalidUri::Form);
    }
    if uri.contains('#') {
        return Err(InvalidUri::Fragment);
    }
    if uri.contains('*') {
        return Err(InvalidUri::Wildcard);
    }
    match scheme {
        "https" | "http" => {
            let authority = rest.strip_prefix("//").ok_or(InvalidUri::Form)?;
            let authority = authority.split(['/', '?']).next().unwrap_or_default();
            if authority.contains('@') {
                return Err(InvalidUri::UserInfo);
            }
            let host = host(authority).ok_or(InvalidUri::Form)?;
            let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
            if scheme == "http" && !local { Err(InvalidUri::PlainHttp) } else { Ok(()) }
        }
        // RFC 8252, section 7.1: the reverse name of a domain. Without a dot it could be `javascript` or `data`.
        _ if scheme.contains('.') && !rest.is_empty() => Ok(()),
        _ => Err(InvalidUri::Scheme),
    }
}

/// Returns the host of `host[:port]`.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(_) => authority.split_at(authority.find(']')? + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    (!host.is_empty() && (port.is_empty() || is_port(port))).then_some(host)
}

/// Whether a text is `:` and a port number.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|n| n > 0)
    })
}

/// Whether the presented URI is the registered one, byte by byte. The port of a loopback address may differ, because a
/// native app takes a free one (RFC 8252, section 7.3). So may that of `localhost`, if none is registered.
pub fn matches(registered: &str, presented: &str) -> bool {
    registered == presented
        || LOOPBACK.iter().any(|origin| differs_in_port(origin, registered, presented))
        || (origin(registered) == Some(LOCALHOST) && differs_in_port(LOCALHOST, registered, presented))
}

/// Whether a URI leads to a program on the person's own device: at a loopback address or by a private-use scheme. Any
/// other program there can receive what is sent to it (RFC 8252, section 8.6).
pub fn is_on_device(uri: &str) -> bool {
    let Some(host) = host_of(uri) else { return true };
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_local = |address: IpAddr| address.to_canonical().is_loopback() || address.is_unspecified();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(is_local)
}

fn differs_in_port(origin: &str, registered: &str, presented: &str) -> bool {
    match (rest_after_port(origin, registered), rest_after_port(origin, presented)) {
        (Some(registered), Some(presented)) => registered == presented,
        _ => false,
    }
}

/// Returns the text after `origin[:port]`.
fn rest_after_port<'a>(origin: &str, uri: &'a str) -> Option<&'a str> {
    let rest = uri.strip_prefix(origin)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (port, rest) = rest.split_at(end);
    (port.is_empty() || is_port(port)).then_some(rest)
}

/// Returns the origin of an http or https URI, and `None` for a private-use scheme.
pub fn origin(uri: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].iter().find(|scheme| uri.starts_with(**scheme))?.len();
    let end = uri.get(scheme..)?.find(['/', '?']).map_or(uri.len(), |end| scheme + end);
    uri.get(..end)
}

/// Returns the host of an http or https URI, without its port.
pub fn host_of(uri: &str) -> Option<&str> {
    host(origin(uri)?.split_once("://")?.1)
}

/// Whether a client id is the URL of a metadata document. It has https and a path, and no fragment, query, user name or
/// dot segments (draft-ietf-oauth-client-id-metadata-document, section 3).
pub fn is_document_id(id: &str) -> bool {
    let Some(rest) = id.strip_prefix("https://") else { return false };
    let Some((_, path)) = rest.split_once('/') else { return false };
    id.len() <= LONGEST_ID && check(id).is_ok() && !id.contains(['?', '#']) && !path.split('/').any(is_dots)
}

/// Whether a part of a path is a dot segment in any spelling.
fn is_dots(part: &str) -> bool {
    let part = part.to_ascii_lowercase().replace("%2e", ".");
    part == "." || part == ".."
}
