//! Networks as operators write them.

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// Length of the prefix of IPv4-mapped IPv6 addresses, `::ffff:0:0/96` (RFC 4291, section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// Parses an address or a network into its canonical form. IPv4-mapped IPv6 addresses become IPv4 addresses, because
/// the addresses of clients do too, and the network would contain none of them.
///
/// `None`: the text is neither, or the network contains more than the IPv4-mapped addresses that it names.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let Ok(network) = text.parse::<IpNet>() else {
        return text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    };
    let mapped = match network {
        IpNet::V6(v6) => v6.addr().to_ipv4_mapped(),
        IpNet::V4(_) => None,
    };
    match mapped {
        Some(v4) => {
            let prefix = network.prefix_len().checked_sub(MAPPED_PREFIX)?;
            Some(Ipv4Net::new(v4, prefix).ok()?.trunc().into())
        }
        None => Some(network.trunc()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_networks_are_ipv4_networks() {
        for (text, expected) in [
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            (" 203.0.113.7 ", Some("203.0.113.7/32")),
            ("2001:db8::1/32", Some("2001:db8::/32")),
            ("::1", Some("::1/128")),
            ("::ffff:10.7.0.1", Some("10.7.0.1/32")),
            ("::ffff:10.7.1.2/112", Some("10.7.0.0/16")),
            ("::ffff:a07:0/128", Some("10.7.0.0/32")),
            ("::ffff:0:0/96", Some("0.0.0.0/0")),
            ("::ffff:10.7.0.0/95", None),
            ("::ffff:10.7.0.0/129", None),
            ("10.0.0.0/33", None),
            ("proxy.lan", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|network| network.to_string()).as_deref(), expected, "{text}");
        }
    }
}
