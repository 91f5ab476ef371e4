//! Which of the addresses that proxies tell is the client's.

use std::net::IpAddr;

/// Walks from the peer to the left through what proxies have told, and stops at the first address that
/// is not a trusted proxy: whatever stands further left was written by that client and may be a lie.
///
/// `told` is in the order of the header: each proxy has added whom it heard at the right end. An entry
/// that is no address (`None`: `unknown`, a hidden name) ends the walk at the proxy that wrote it.
pub fn client(
    peer: IpAddr,
    told: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let mut client = peer.to_canonical();
    for earlier in told.rev() {
        if !is_trusted(client) {
            return client;
        }
        match earlier {
            Some(address) => client = address.to_canonical(),
            None => return client,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(peer: &str, told: &[&str]) -> String {
        let trusted = ["10.0.0.1", "10.0.0.2", "2001:db8::1"].map(|text| text.parse::<IpAddr>().unwrap());
        let told = told.iter().map(|text| text.parse().ok());
        client(peer.parse().unwrap(), told, |address| trusted.contains(&address)).to_string()
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy_of_ours() {
        let cases: [(&str, &[&str], &str); 11] = [
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
            // Nothing told, or nothing readable: the proxy itself.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7", "unknown"], "10.0.0.1"),
        ];
        for (peer, told, expected) in cases {
            assert_eq!(walk(peer, told), expected, "{told:?} from {peer}");
        }
        assert_eq!(walk("10.0.0.1", &["10.0.0.2"]), "10.0.0.2", "all of them are proxies: the leftmost");
    }
}
