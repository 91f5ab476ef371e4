//! The key that bans and limits count by: an IPv4 address, an IPv6 prefix, or a known device.

use crate::encoding::{base64url, from_base64url};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A client key. IPv6 counts by prefix, because one subscriber has 2^64 addresses. An IPv4-mapped IPv6 address
/// (`::ffff:a.b.c.d`) is the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ClientKey {
    V4(Ipv4Addr),
    V6(Ipv6Addr, u8),
    /// A browser that has signed in before, at any address ([`crate::known_device`]).
    Device([u8; 16]),
}

/// The text is not an address, an IPv6 prefix or a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an address: write 203.0.113.7, 2001:db8::/64 or 2001:db8::1")]
pub struct InvalidClientKey(String);

const DEVICE: &str = "device:";

/// The default IPv6 prefix length.
pub const DEFAULT_V6_PREFIX: u8 = 64;

impl ClientKey {
    /// Returns the key of a peer's address; `v6_prefix` is at most 128.
    pub fn of(address: IpAddr, v6_prefix: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4),
            IpAddr::V6(v6) => {
                let prefix = v6_prefix.min(128);
                Self::V6(Ipv6Addr::from_bits(v6.to_bits() & mask(prefix)), prefix)
            }
        }
    }

    /// Parses a person's input: a bare address counts as the server counts it.
    ///
    /// # Errors
    /// The text is not an address, a prefix or a device.
    pub fn read(text: &str, v6_prefix: u8) -> Result<Self, InvalidClientKey> {
        let text = text.trim();
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(Self::of(address, v6_prefix)),
            Err(_) => text.parse(),
        }
    }

    /// Whether it is loopback, which is never banned for long, so that operators cannot lock themselves out of their
    /// machine.
    pub fn is_loopback(self) -> bool {
        match self {
            Self::V4(v4) => v4.is_loopback(),
            Self::V6(v6, prefix) => Ipv6Addr::LOCALHOST.to_bits() & mask(prefix) == v6.to_bits(),
            Self::Device(_) => false,
        }
    }

    /// Returns the network as people see it: `203.0.113.0/24`, `2001:db8:1::/48`.
    pub fn network_label(self) -> String {
        match self {
            Self::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            Self::V6(v6, prefix) => {
                let shown = prefix.min(48);
                format!("{}/{shown}", Ipv6Addr::from_bits(v6.to_bits() & mask(shown)))
            }
            Self::Device(_) => "a known device".to_owned(),
        }
    }
}

fn mask(prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        n => u128::MAX << (128 - u32::from(n.min(128))),
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(v4) => write!(f, "{v4}"),
            Self::V6(v6, prefix) => write!(f, "{v6}/{prefix}"),
            Self::Device(id) => write!(f, "{DEVICE}{}", base64url(id)),
        }
    }
}

impl FromStr for ClientKey {
    type Err = InvalidClientKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InvalidClientKey(text.to_owned());
        if let Some(id) = text.strip_prefix(DEVICE) {
            return from_base64url(id).and_then(|id| id.try_into().ok()).map(Self::Device).ok_or_else(wrong);
        }
        match text.split_once('/') {
            None => Ok(Self::of(text.parse().map_err(|_| wrong())?, DEFAULT_V6_PREFIX)),
            Some((address, prefix)) => {
                let address: IpAddr = address.parse().map_err(|_| wrong())?;
                let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
                match address {
                    // A prefix of IPv4-mapped addresses would silently become one IPv4 address.
                    IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() && prefix != 128 => Err(wrong()),
                    IpAddr::V6(_) if prefix <= 128 => Ok(Self::of(address, prefix)),
                    IpAddr::V4(_) if prefix == 32 => Ok(Self::of(address, prefix)),
                    _ => Err(wrong()),
                }
            }
        }
    }
}

impl From<ClientKey> for String {
    fn from(client_key: ClientKey) -> Self {
        client_key.to_string()
    }
}

impl TryFrom<String> for ClientKey {
    type Error = InvalidClientKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
