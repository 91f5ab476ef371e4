//! `X-Forwarded-For` and `Forwarded`: a stranger's headers cannot change the stranger's own address.

use crate::input;
use http::{HeaderMap, HeaderValue};
use server::config::{ClientAddress, Config, Settings};
use server::guards::forwarded;
use std::net::IpAddr;
use std::sync::LazyLock;

const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

static X_FORWARDED_FOR: LazyLock<Config> = LazyLock::new(|| config(ClientAddress::XForwardedFor));
static FORWARDED: LazyLock<Config> = LazyLock::new(|| config(ClientAddress::Forwarded));

fn config(client_address: ClientAddress) -> Config {
    let trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    Config::new(Settings { trusted_proxies, client_address, ..Settings::default() }).expect("settings")
}

/// Checks `data`: lines of the header.
pub(crate) fn check(data: &[u8]) {
    for (config, name, truth) in
        [(&*X_FORWARDED_FOR, "x-forwarded-for", "203.0.113.7"), (&*FORWARDED, "forwarded", "for=203.0.113.7")]
    {
        let Some(said) = headers(name, data) else { return };
        let client = |peer, headers: &HeaderMap| forwarded::client(&config.proxies, peer, headers);
        assert_eq!(client(STRANGER, &said), Ok(STRANGER), "a stranger is believed");
        for between in [", ", "\n"] {
            let Some(forwarded) = headers(name, &[data, between.as_bytes(), truth.as_bytes()].concat()) else {
                continue;
            };
            assert_eq!(client(PROXY, &forwarded), Ok(CLIENT), "a client moves its own address");
        }
    }
}

fn headers(name: &'static str, data: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in input::lines(data) {
        headers.append(name, HeaderValue::from_bytes(line).ok()?);
    }
    Some(headers)
}
