//! Trusted proxies, and how they pass the client's address.

use super::ConfigError;
use crate::network;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The way in which a trusted proxy passes the client's address. Only one way is read, because a proxy that writes one
/// header forwards a client's other headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAddress {
    #[default]
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
    /// `HAProxy`'s, versions 1 and 2, before the first byte of HTTP or TLS.
    ProxyProtocol,
}

/// The trusted proxies.
#[derive(Debug, Default)]
pub struct TrustedProxies {
    trusted: Vec<IpNet>,
    pub client_address: ClientAddress,
}

impl TrustedProxies {
    pub(super) fn new(trusted: &[String], client_address: ClientAddress) -> Result<Self, ConfigError> {
        let read = |text: &String| {
            network::parse(text).ok_or_else(|| {
                let problem = "each one is an address or a network like 10.0.0.0/8";
                ConfigError::invalid("trusted_proxies", problem)
            })
        };
        let trusted = trusted.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if trusted.iter().any(|network| network.prefix_len() == 0) {
            return Err(ConfigError::invalid(
                "trusted_proxies",
                "a network of length 0 is everybody: then anyone chooses the address that is banned",
            ));
        }
        Ok(Self { trusted, client_address })
    }

    /// Whether a network contains a trusted proxy's address.
    pub fn overlap(&self, network: &IpNet) -> bool {
        self.trusted.iter().any(|trusted| trusted.contains(network) || network.contains(trusted))
    }

    pub fn trusts(&self, peer: IpAddr) -> bool {
        !self.trusted.is_empty() && {
            let peer = peer.to_canonical();
            self.trusted.iter().any(|network| network.contains(&peer))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_but_not_everybody() {
        let proxies = |list: &[&str]| {
            let list: Vec<String> = list.iter().map(ToString::to_string).collect();
            TrustedProxies::new(&list, ClientAddress::default())
        };
        let trusted =
            proxies(&["127.0.0.1", "10.1.2.3/8", "2001:db8::/32", "::ffff:192.0.2.1", "::ffff:192.168.0.0/112"])
                .expect("good");
        for (peer, expected) in [
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("2001:db8:9::1", true),
            ("2001:db9::1", false),
            ("192.0.2.1", true),
            ("192.168.9.9", true),
            ("::ffff:192.168.9.9", true),
            ("192.169.0.1", false),
        ] {
            assert_eq!(trusted.trusts(peer.parse().expect("an address")), expected, "{peer}");
        }
        for wrong in ["0.0.0.0/0", "::/0", "::ffff:0:0/96", "::ffff:0:0/90", "10.0.0.0/33", "proxy.lan", ""] {
            assert!(proxies(&[wrong]).is_err(), "{wrong}");
        }
        assert!(!TrustedProxies::default().trusts(IpAddr::from([127, 0, 0, 1])));
    }
}
