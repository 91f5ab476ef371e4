//! Addresses on the public internet, for requests whose target a stranger chooses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is reachable on the public internet. Private, shared, loopback, link-local, unique-local,
/// documentation, benchmarking, multicast and reserved addresses are not (IANA special-purpose registries; RFC 6890).
/// An IPv6 address that contains an IPv4 address is classified by that one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Mapped addresses, those of NAT64 (RFC 6052) and of 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        // Special purposes of the IETF, Teredo among them, and documentation (RFC 3849, RFC 9637).
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Only global unicast (RFC 4291, section 2.4) is routed.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in
            ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1"]
                .into_iter()
                .chain(["223.255.255.255", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"])
                .chain(["2a00::1", "2001:200::1"])
        {
            assert!(is_public(public.parse().expect(public)), "{public}");
        }
        for closed in
            ["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254"]
                .into_iter()
                .chain(["172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1"])
                .chain(["198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1"])
                .chain(["255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"])
                .chain([
                    "::ffff:169.254.169.254",
                    "64:ff9b::10.0.0.1",
                    "64:ff9b:1::1",
                    "2002:a00:1::1",
                    "2002:7f00:1::",
                ])
                .chain([
                    "2001::1",
                    "2001:db8::1",
                    "3fff::1",
                    "fc00::1",
                    "fd12::1",
                    "fe80::1",
                    "fec0::1",
                    "ff02::1",
                    "100::1",
                ])
        {
            assert!(!is_public(closed.parse().expect(closed)), "{closed}");
        }
    }
}
