//! Addresses and the client keys that they count by.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::client_key::{ClientKey, DEFAULT_V6_PREFIX};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn of(address: &str) -> ClientKey {
    ClientKey::of(address.parse().unwrap(), DEFAULT_V6_PREFIX)
}

#[test]
fn addresses_count_as_these() {
    for (address, shown) in [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("fe80::1", "fe80::/64"),
    ] {
        assert_eq!(of(address).to_string(), shown, "{address}");
    }
}

#[test]
fn every_form_that_operators_write_is_read() {
    for (text, shown) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::/64", "2001:db8::/64"),
        ("2001:DB8:0:0::/64", "2001:db8::/64"),
        ("2001:db8::1/56", "2001:db8::/56"),
        ("2001:db8::1/128", "2001:db8::1/128"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7/128", "203.0.113.7"),
    ] {
        assert_eq!(text.parse::<ClientKey>().map(|client_key| client_key.to_string()), Ok(shown.to_owned()), "{text}");
    }
    for text in [
        "",
        " ",
        "postern.example",
        "203.0.113",
        "203.0.113.7.8",
        "203.0.113.256",
        "203.0.113.07",
        "203.0.113.7/24",
        "203.0.113.7/33",
        "203.0.113.7/",
        "203.0.113.7:443",
        "203.0.113.7 ",
        "2001:db8::/129",
        "2001:db8::/-1",
        "2001:db8::/64/64",
        "[2001:db8::1]",
        "2001:db8::1%eth0",
        "/64",
        "::ffff:203.0.113.7/96",
    ] {
        assert!(text.parse::<ClientKey>().is_err(), "{text:?}");
    }
}

#[test]
fn loopback_is_known_in_every_form() {
    for address in ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"] {
        assert!(of(address).is_loopback(), "{address}");
        assert!(address.parse::<ClientKey>().unwrap().is_loopback(), "{address}");
    }
    for address in
        ["128.0.0.1", "10.0.0.1", "0.0.0.0", "2001:db8::1", "fe80::1", "::ffff:128.0.0.1", "1::1", "0:0:0:1::1"]
    {
        assert!(!of(address).is_loopback(), "{address}");
    }
}

#[test]
fn a_place_is_a_neighbourhood() {
    for (address, place) in [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::1", "::/48"),
    ] {
        assert_eq!(of(address).network_label(), place, "{address}");
    }
    assert_eq!("2001:db8:1::/32".parse::<ClientKey>().unwrap().network_label(), "2001:db8::/32");
}

proptest! {
    #[test]
    fn a_shown_key_is_read_back(bits: u128, v4: u32, prefix: u8) {
        let addresses = [IpAddr::V6(Ipv6Addr::from_bits(bits)), IpAddr::V4(v4.into()), IpAddr::V6(Ipv4Addr::from(v4).to_ipv6_mapped())];
        for address in addresses {
            let client_key = ClientKey::of(address, prefix);
            prop_assert_eq!(client_key.to_string().parse::<ClientKey>(), Ok(client_key));
        }
    }

    #[test]
    fn one_subscriber_is_one_identity(bits: u128, a: u128, b: u128, prefix in 1..=64_u8) {
        let host = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
        let at = |host_bits| ClientKey::of(Ipv6Addr::from_bits(bits & !host | host_bits & host).into(), prefix);
        prop_assume!(bits >> 32 != 0xffff);
        prop_assert_eq!(at(a), at(b));
        let neighbour = Ipv6Addr::from_bits(bits ^ (1 << (128 - u32::from(prefix))));
        prop_assert_ne!(ClientKey::of(neighbour.into(), prefix), at(a));
    }

    #[test]
    fn ipv4_counts_the_same_inside_ipv6(v4: u32, prefix: u8) {
        let v4 = Ipv4Addr::from(v4);
        let plain = ClientKey::of(v4.into(), prefix);
        prop_assert_eq!(ClientKey::of(v4.to_ipv6_mapped().into(), prefix), plain);
        prop_assert_eq!(plain, ClientKey::V4(v4));
    }

    #[test]
    fn no_text_breaks_the_reader(text in ".{0,60}") {
        if let Ok(client_key) = text.parse::<ClientKey>() {
            prop_assert_eq!(client_key.to_string().parse(), Ok(client_key));
        }
    }
}
