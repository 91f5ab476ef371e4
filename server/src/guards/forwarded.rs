//! The client's address from a proxy, in the one configured header.

use crate::config::{ClientAddress, TrustedProxies};
use domain::forwarded::{self, UnreadableForwarded};
use http::{HeaderMap, HeaderName, header};
use rfc7239::NodeName;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Once;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns the client's address: the peer's, or the one that a trusted proxy names.
///
/// # Errors
/// A trusted proxy names a client that is not an address.
pub fn client(proxies: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, UnreadableForwarded> {
    let name = match proxies.client_address {
        ClientAddress::XForwardedFor => X_FORWARDED_FOR,
        ClientAddress::Forwarded => header::FORWARDED,
        // Already read at the start of the connection.
        ClientAddress::ProxyProtocol => return Ok(peer.to_canonical()),
    };
    let mut values = headers.get_all(&name).iter().peekable();
    if values.peek().is_none() {
        return Ok(peer.to_canonical());
    }
    if !proxies.trusts(peer) {
        report_untrusted(peer, &name);
        return Ok(peer.to_canonical());
    }
    // Several lines of a header form one list, and empty elements are ignored (RFC 9110, sections 5.3 and 5.6.1).
    let entries = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(text);
    let entries = entries.filter(|entry| entry.is_none_or(|entry| !entry.is_empty()));
    let read = if name == X_FORWARDED_FOR { address } else { node };
    let forwarded: Vec<Option<IpAddr>> = entries.map(|entry| entry.and_then(read)).collect();
    let client = forwarded::client(peer, forwarded.into_iter(), |address| proxies.trusts(address));
    client.inspect_err(|_| report_unreadable(peer, &name))
}

/// Returns an entry as text. `None`: it is not UTF-8.
fn text(entry: &[u8]) -> Option<&str> {
    std::str::from_utf8(entry).ok().map(str::trim)
}

/// Parses an address, also with brackets, a port, quotes or a zone, as some proxies write them.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = unquoted(entry);
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(at) = entry.parse::<SocketAddr>() {
        return Some(at.ip());
    }
    let bare = match entry.strip_prefix('[') {
        Some(rest) => {
            let (bare, after) = rest.split_once(']')?;
            let port = after.strip_prefix(':').unwrap_or("0");
            (after.is_empty() || after.starts_with(':')).then_some(())?;
            port.parse::<u16>().ok()?;
            bare
        }
        None => entry,
    };
    // A zone names an interface of the proxy (RFC 4007, section 11) and is not part of the address.
    let bare = bare.split_once('%').map_or(bare, |(bare, _zone)| bare);
    bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

fn unquoted(entry: &str) -> &str {
    entry.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(entry)
}

/// Returns the `for` of one element of `Forwarded` (RFC 7239, section 4). Tolerates spaces around its pairs.
fn node(element: &str) -> Option<IpAddr> {
    let pairs: Vec<&str> = element.split(';').map(str::trim).filter(|pair| !pair.is_empty()).collect();
    match rfc7239::parse(&pairs.join(";")).next()?.ok()?.forwarded_for?.name {
        NodeName::Ip(address) => Some(address),
        _ => None,
    }
}

/// Logs once that an untrusted peer sent the header. The operator should know, but a client must not be able to fill
/// the log.
fn report_untrusted(peer: IpAddr, name: &HeaderName) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            %peer, header = %name,
            "ignored: this peer is not in trusted_proxies, so its word about the client's address does not \
             count (said once)"
        );
    });
}

/// Logs once, for the same reason, that a trusted proxy named no valid address.
fn report_unreadable(peer: IpAddr, name: &HeaderName) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            %peer, header = %name,
            "refused: this trusted proxy names a client that is no address. Set it up to send the client's address \
             (said once)"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};
    use http::HeaderValue;
    use proptest::prelude::*;

    fn proxies(way: ClientAddress) -> Config {
        let trusted_proxies = vec!["10.0.0.0/8".to_owned()];
        Config::new(Settings { trusted_proxies, client_address: way, ..Settings::default() }).expect("good")
    }

    fn asked(way: ClientAddress, peer: &str, lines: &[(&'static str, &[u8])]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        let client = client(&proxies(way).proxies, peer.parse().expect("an address"), &headers);
        client.map_or_else(|UnreadableForwarded| "unreadable".to_owned(), |client| client.to_string())
    }

    #[test]
    fn the_configured_header_of_a_trusted_peer_and_no_other() {
        type Lines = &'static [(&'static str, &'static [u8])];
        const XFF: &str = "x-forwarded-for";
        const FWD: &str = "forwarded";
        let (x, f, p) = (ClientAddress::XForwardedFor, ClientAddress::Forwarded, ClientAddress::ProxyProtocol);
        let cases: [(ClientAddress, &str, Lines, &str); 30] = [
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7")], "203.0.113.7"),
            (x, "203.0.113.9", &[(XFF, b"203.0.113.7")], "203.0.113.9"),
            (x, "10.0.0.1", &[(XFF, b"198.51.100.1, 203.0.113.7")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"198.51.100.1"), (XFF, b"203.0.113.7, 10.0.0.3")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7:4711")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"[2001:db8::7]:4711")], "2001:db8::7"),
            (x, "10.0.0.1", &[(XFF, b"[2001:db8::7]")], "2001:db8::7"),
            (x, "10.0.0.1", &[(FWD, b"for=203.0.113.7")], "10.0.0.1"),
            (x, "10.0.0.1", &[(XFF, b"\"[2001:db8::7]:4711\"")], "2001:db8::7"),
            (x, "10.0.0.1", &[(XFF, b"\"203.0.113.7\"")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"2001:db8::7%eth0")], "2001:db8::7"),
            (x, "10.0.0.1", &[(XFF, b"[fe80::7%25eth0]:80")], "fe80::7"),
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7,")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b", ,203.0.113.7 , ")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7, 10.0.0.3,")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"\xff\xfe, 203.0.113.7")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"\xff\xfe")], "unreadable"),
            (x, "10.0.0.1", &[(XFF, b"unknown")], "unreadable"),
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7, _hidden, 10.0.0.3")], "unreadable"),
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7:80:80")], "unreadable"),
            (x, "10.0.0.1", &[(XFF, b"[2001:db8::7]x")], "unreadable"),
            // An empty list says nothing.
            (x, "10.0.0.1", &[(XFF, b"")], "10.0.0.1"),
            (f, "10.0.0.1", &[(XFF, b"198.51.100.1"), (FWD, b"for=203.0.113.7")], "203.0.113.7"),
            (f, "10.0.0.1", &[(FWD, b"for=1.2.3.4, For=\"[2001:db8::7]:80\";proto=https")], "2001:db8::7"),
            (f, "10.0.0.1", &[(FWD, b"for=203.0.113.7, for=_hidden")], "unreadable"),
            (f, "10.0.0.1", &[(FWD, b"for=unknown;proto=https")], "unreadable"),
            (f, "10.0.0.1", &[(FWD, b"for=203.0.113.7;by=10.0.0.9, for=10.0.0.2")], "203.0.113.7"),
            (f, "10.0.0.1", &[(FWD, b"nonsense")], "unreadable"),
            (f, "10.0.0.1", &[(FWD, b"proto=https; For=\"[2001:db8::7]\";")], "2001:db8::7"),
            (p, "10.0.0.1", &[(XFF, b"203.0.113.7")], "10.0.0.1"),
        ];
        for (way, peer, lines, expected) in cases {
            assert_eq!(asked(way, peer, lines), expected, "{lines:?} from {peer}");
        }
    }

    proptest! {
        #[test]
        fn a_header_of_the_client_never_changes_its_address(lie in "[ -~]{0,80}", forwarded in any::<bool>()) {
            let (way, name, truth) = if forwarded {
                (ClientAddress::Forwarded, "forwarded", "for=203.0.113.7")
            } else {
                (ClientAddress::XForwardedFor, "x-forwarded-for", "203.0.113.7")
            };
            let line = format!("{lie}, {truth}");
            prop_assert_eq!(asked(way, "10.0.0.1", &[(name, line.as_bytes())]), "203.0.113.7");
        }
    }
}
