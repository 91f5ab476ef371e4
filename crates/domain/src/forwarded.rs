//! Which of the addresses that proxies tell is the client's.

use std::net::IpAddr;

/// A trusted proxy named a client that cannot be read: an obfuscated identifier, `unknown`, or no address at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trusted proxy does not say which address the client has")]
pub struct Unreadable;

/// Walks from the peer to the left through what proxies have told, and stops at the first address that
/// is not a trusted proxy: an entry further left was written by that client and may be a lie.
///
/// `told` is in the order of the header: each proxy has added the address it heard at the right end. `None` is an
/// entry that is no address.
///
/// # Errors
/// The entry that decides is no address. It must not count as the proxy that wrote it: everybody behind that proxy
/// would share its bans.
pub fn client(
    peer: IpAddr,
    told: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Result<IpAddr, Unreadable> {
    let mut client = peer.to_canonical();
    for earlier in told.rev() {
        if !is_trusted(client) {
            break;
        }
        client = earlier.ok_or(Unreadable)?.to_canonical();
    }
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(peer: &str, told: &[&str]) -> String {
        let trusted = ["10.0.0.1", "10.0.0.2", "2001:db8::1"].map(|text| text.parse::<IpAddr>().unwrap());
        let told = told.iter().map(|text| text.parse().ok());
        let client = client(peer.parse().unwrap(), told, |address| trusted.contains(&address));
        client.map_or_else(|Unreadable| "unreadable".to_owned(), |client| client.to_string())
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy_of_ours() {
        let cases: [(&str, &[&str], &str); 12] = [
            ("203.0.113.7", &[], "203.0.113.7"),
            // A stranger may write what it likes.
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("203.0.113.7", &["198.51.100.1", "10.0.0.1"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7", "10.0.0.2"], "203.0.113.7"),
            ("10.0.0.1", &["10.0.0.1", "203.0.113.7", "10.0.0.2"], "203.0.113.7"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7"),
            ("2001:db8::1", &["2001:db8:7::9"], "2001:db8:7::9"),
            // Nothing told: the proxy itself asks.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7", "unknown"], "unreadable"),
            // Further left than the client: its own words.
            ("10.0.0.1", &["unknown", "203.0.113.7"], "203.0.113.7"),
        ];
        for (peer, told, expected) in cases {
            assert_eq!(walk(peer, told), expected, "{told:?} from {peer}");
        }
        assert_eq!(walk("10.0.0.1", &["10.0.0.2"]), "10.0.0.2", "all of them are proxies: the leftmost");
    }
}
