//! Selects the client's address among the addresses from proxies.

use std::net::IpAddr;

/// A trusted proxy sent an invalid client: an obfuscated identifier, `unknown`, or not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trusted proxy sent no valid client address")]
pub struct UnreadableForwarded;

/// Walks from the peer to the left through the proxies' entries and returns the first address that is not a trusted
/// proxy. The client may have forged entries further to the left.
///
/// `forwarded` is in header order: each proxy appends the address that it saw on the right. `None` is an invalid entry.
///
/// # Errors
/// The deciding entry is not an address. It must not count as the proxy's address, because then everybody behind that
/// proxy would share its bans.
pub fn client(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Result<IpAddr, UnreadableForwarded> {
    let mut client = peer.to_canonical();
    for earlier in forwarded.rev() {
        if !is_trusted(client) {
            break;
        }
        client = earlier.ok_or(UnreadableForwarded)?.to_canonical();
    }
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.1", "10.0.0.2", "2001:db8::1"].map(|text| text.parse::<IpAddr>().unwrap());
        let forwarded = forwarded.iter().map(|text| text.parse().ok());
        let client = client(peer.parse().unwrap(), forwarded, |address| trusted.contains(&address));
        client.map_or_else(|UnreadableForwarded| "unreadable".to_owned(), |client| client.to_string())
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy_of_ours() {
        let cases: [(&str, &[&str], &str); 12] = [
            ("203.0.113.7", &[], "203.0.113.7"),
            // A client may forge its header.
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("203.0.113.7", &["198.51.100.1", "10.0.0.1"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7", "10.0.0.2"], "203.0.113.7"),
            ("10.0.0.1", &["10.0.0.1", "203.0.113.7", "10.0.0.2"], "203.0.113.7"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7"),
            ("2001:db8::1", &["2001:db8:7::9"], "2001:db8:7::9"),
            // No entries: the proxy's own request.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7", "unknown"], "unreadable"),
            // Entries left of the client are its own claims.
            ("10.0.0.1", &["unknown", "203.0.113.7"], "203.0.113.7"),
        ];
        for (peer, forwarded, expected) in cases {
            assert_eq!(walk(peer, forwarded), expected, "{forwarded:?} from {peer}");
        }
        assert_eq!(walk("10.0.0.1", &["10.0.0.2"]), "10.0.0.2", "all of them are proxies: the leftmost");
    }
}
