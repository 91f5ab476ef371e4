//! The networks that are never banned, in memory.

use domain::UnixMs;
use parking_lot::RwLock;
use std::net::IpAddr;
use std::sync::Arc;
use store::Store;
use store::allowlist::AllowedNetwork;

/// The list, loaded at startup. This process updates it at once, and other processes' changes arrive within a second.
/// It has few networks, searched linearly.
#[derive(Debug, Default)]
pub struct Allowlist {
    list: RwLock<Arc<[AllowedNetwork]>>,
    /// Locked during a read, so that an older result never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
}

impl Allowlist {
    /// Reads the list.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reload(&self, store: &dyn Store) -> store::Result<()> {
        let _reading = self.reading.lock().await;
        *self.list.write() = store.allowlist().await?.into();
        Ok(())
    }

    pub fn covers(&self, address: IpAddr, now: UnixMs) -> bool {
        covering(&self.list.read(), address, now).next().is_some()
    }
}

/// Returns the entries in force for an address.
pub(crate) fn covering(list: &[AllowedNetwork], address: IpAddr, now: UnixMs) -> impl Iterator<Item = &AllowedNetwork> {
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
            created_at: UnixMs::EPOCH,
        };
        let list = Allowlist::default();
        *list.list.write() = [of("203.0.113.0/24", Some(UnixMs::from_millis(100))), of("2001:db8::/48", None)].into();
        for (address, now, expected) in [
            ("203.0.113.7", 99, true),
            ("203.0.113.7", 100, false),
            ("203.0.114.7", 99, false),
            ("::ffff:203.0.113.7", 99, true),
            ("2001:db8:0:1::1", 100, true),
            ("2001:db8:1::1", 100, false),
        ] {
            assert_eq!(
                list.covers(address.parse().expect("an address"), UnixMs::from_millis(now)),
                expected,
                "{address} at {now}"
            );
        }
        *list.list.write() = [].into();
        assert!(!list.covers("2001:db8::1".parse().expect("an address"), UnixMs::EPOCH));
    }
}
