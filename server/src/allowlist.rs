//! The networks that are never banned, in memory.

use domain::UnixMs;
use parking_lot::RwLock;
use std::net::IpAddr;
use std::sync::Arc;
use store::allowlist::AllowedNetwork;

/// The list, loaded at startup. This process updates it at once, and other processes' changes arrive within a second.
/// It has few networks, searched linearly.
#[derive(Debug, Default)]
pub struct Allowlist(RwLock<Arc<[AllowedNetwork]>>);

impl Allowlist {
    pub fn replace(&self, list: Vec<AllowedNetwork>) {
        // Read every second and almost always unchanged.
        if **self.0.read() != *list {
            *self.0.write() = list.into();
        }
    }

    pub fn covers(&self, address: IpAddr, now: UnixMs) -> bool {
        covering(&self.0.read(), address, now).next().is_some()
    }
}

/// Returns the entries in force for an address.
pub fn covering(list: &[AllowedNetwork], address: IpAddr, now: UnixMs) -> impl Iterator<Item = &AllowedNetwork> {
    let address = address.to_canonical();
    list.iter().filter(move |allowed| allowed.in_force(now) && allowed.network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_cover_their_addresses_while_they_are_in_force() {
        let of = |network: &str, expires_at| AllowedNetwork {
            id: String::new(),
            network: network.parse().expect("a network"),
            comment: String::new(),
            expires_at,
            made_by: String::new(),
            created_at: 0,
        };
        let list = Allowlist::default();
        list.replace(vec![of("203.0.113.0/24", Some(100)), of("2001:db8::/48", None)]);
        for (address, now, expected) in [
            ("203.0.113.7", 99, true),
            ("203.0.113.7", 100, false),
            ("203.0.114.7", 99, false),
            ("::ffff:203.0.113.7", 99, true),
            ("2001:db8:0:1::1", 100, true),
            ("2001:db8:1::1", 100, false),
        ] {
            assert_eq!(list.covers(address.parse().expect("an address"), now), expected, "{address} at {now}");
        }
        list.replace(Vec::new());
        assert!(!list.covers("2001:db8::1".parse().expect("an address"), 0));
    }
}
