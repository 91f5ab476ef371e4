//! What proxies tell of the client, in the one header that is configured.

use crate::config::{ClientAddress, Proxies};
use domain::forwarded;
use http::{HeaderMap, HeaderName, header};
use rfc7239::NodeName;
use std::net::{IpAddr, SocketAddr};
use std::sync::Once;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: the peer's, unless the peer is a trusted proxy that speaks for somebody.
pub fn client(proxies: &Proxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let name = match proxies.client_address {
        ClientAddress::XForwardedFor => X_FORWARDED_FOR,
        ClientAddress::Forwarded => header::FORWARDED,
        // Said before the first request of the connection.
        ClientAddress::ProxyProtocol => return peer.to_canonical(),
    };
    let mut values = headers.get_all(&name).iter().peekable();
    if values.peek().is_none() {
        return peer.to_canonical();
    }
    if !proxies.trusts(peer) {
        report(peer, &name);
        return peer.to_canonical();
    }
    // Several lines of a header are one list (RFC 9110, section 5.3).
    let entries = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let told: Vec<Option<IpAddr>> = if name == X_FORWARDED_FOR {
        entries.map(|entry| address(text(entry)?)).collect()
    } else {
        entries.map(|entry| node(text(entry)?)).collect()
    };
    forwarded::client(peer, told.into_iter(), |address| proxies.trusts(address))
}

fn text(entry: &[u8]) -> Option<&str> {
    std::str::from_utf8(entry).ok().map(str::trim)
}

/// `203.0.113.7`, `2001:db8::7`, and with a port as some proxies write it.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|at| at.ip()))
}

/// The `for` of one element of `Forwarded`.
fn node(element: &str) -> Option<IpAddr> {
    match rfc7239::parse(element).next()?.ok()?.forwarded_for?.name {
        NodeName::Ip(address) => Some(address),
        _ => None,
    }
}

/// Once: whoever runs this should know, and whoever asks should not fill the log.
fn report(peer: IpAddr, name: &HeaderName) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            %peer, header = %name,
            "ignored: this peer is not in trusted_proxies, so its word about the client's address does not \
             count (said once)"
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
        client(&proxies(way).proxies, peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn the_configured_header_of_a_trusted_peer_and_no_other() {
        type Lines = &'static [(&'static str, &'static [u8])];
        const XFF: &str = "x-forwarded-for";
        const FWD: &str = "forwarded";
        let (x, f, p) = (ClientAddress::XForwardedFor, ClientAddress::Forwarded, ClientAddress::ProxyProtocol);
        let cases: [(ClientAddress, &str, Lines, &str); 16] = [
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7")], "203.0.113.7"),
            (x, "203.0.113.9", &[(XFF, b"203.0.113.7")], "203.0.113.9"),
            (x, "10.0.0.1", &[(XFF, b"198.51.100.1, 203.0.113.7")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"198.51.100.1"), (XFF, b"203.0.113.7, 10.0.0.3")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"203.0.113.7:4711")], "203.0.113.7"),
            (x, "10.0.0.1", &[(XFF, b"[2001:db8::7]:4711")], "2001:db8::7"),
            (x, "10.0.0.1", &[(XFF, b"[2001:db8::7]")], "2001:db8::7"),
            (x, "10.0.0.1", &[(FWD, b"for=203.0.113.7")], "10.0.0.1"),
            (x, "10.0.0.1", &[(XFF, b"\xff\xfe")], "10.0.0.1"),
            (x, "10.0.0.1", &[(XFF, b"")], "10.0.0.1"),
            (f, "10.0.0.1", &[(XFF, b"198.51.100.1"), (FWD, b"for=203.0.113.7")], "203.0.113.7"),
            (f, "10.0.0.1", &[(FWD, b"for=1.2.3.4, For=\"[2001:db8::7]:80\";proto=https")], "2001:db8::7"),
            (f, "10.0.0.1", &[(FWD, b"for=203.0.113.7, for=_hidden")], "10.0.0.1"),
            (f, "10.0.0.1", &[(FWD, b"for=203.0.113.7;by=10.0.0.9, for=10.0.0.2")], "203.0.113.7"),
            (f, "10.0.0.1", &[(FWD, b"nonsense")], "10.0.0.1"),
            (p, "10.0.0.1", &[(XFF, b"203.0.113.7")], "10.0.0.1"),
        ];
        for (way, peer, lines, expected) in cases {
            assert_eq!(asked(way, peer, lines), expected, "{lines:?} from {peer}");
        }
    }

    proptest! {
        #[test]
        fn what_a_client_writes_never_moves_it(lie in "[ -~]{0,80}", forwarded in any::<bool>()) {
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
