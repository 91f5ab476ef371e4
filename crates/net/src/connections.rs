//! Limits connections in total and per address, and chooses the one to close when all permits are taken.

use crate::connection_table::{ConnectionOwner, ConnectionTable};
use crate::meter::{ConnectionMeter, MinimumRate};
use domain::client_key::ClientKey;
use parking_lot::Mutex;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Prefix length of IPv6 shares, which one subscriber usually gets. Shares of IPv4 count by address.
const SHARE_PREFIX: u8 = 56;
#[derive(Debug, Clone, Copy)]
pub struct ConnectionSettings {
    /// Maximum number of connections.
    pub max: usize,
    /// Maximum number of connections from one address. `None`: only shares count.
    pub per_address: Option<usize>,
    /// Number of leading bits that identify an IPv6 address.
    pub v6_prefix: u8,
    pub minimum_rate: MinimumRate,
}

/// Whether an address carries many people's connections: a trusted proxy.
pub(crate) type ExemptPeers = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The connections of one program, over all its listeners.
pub struct ConnectionLimits {
    limits: ConnectionSettings,
    exempt: ExemptPeers,
    table: Mutex<ConnectionTable>,
    /// Milliseconds since `began`, as of the last sweep or admission.
    clock: Arc<AtomicU64>,
    began: Instant,
    freed: Notify,
}

/// The reason why a connection was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionRefused {
    #[error("the maximum number of connections is reached")]
    Full,
    #[error("this address has reached its maximum number of connections")]
    TooMany,
}

/// The permit of a connection, which is released when this is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    id: u64,
    meter: Arc<ConnectionMeter>,
    connections: Arc<ConnectionLimits>,
}

impl ConnectionLimits {
    pub fn new(limits: ConnectionSettings, exempt: ExemptPeers) -> Arc<Self> {
        let (table, clock, began, freed) = (Mutex::default(), Arc::default(), Instant::now(), Notify::new());
        Arc::new(Self { limits, exempt, table, clock, began, freed })
    }

    pub fn minimum_rate(&self) -> MinimumRate {
        self.limits.minimum_rate
    }

    /// Finds a permit for a connection of this peer. If its address has its maximum, an idle connection of that address
    /// ends. If no permit is free, a holder of more than a fair share loses a connection. If there is no such holder, an
    /// idle connection of a holder with more than the newcomer ends.
    ///
    /// # Errors
    /// The peer has its maximum in use, or no connection may be closed for it.
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<ConnectionPermit, ConnectionRefused> {
        let now = self.look_at_clock();
        let owner = self.owner(peer);
        let mut table = self.table.lock();
        let surplus = owner.map(|owner| self.surplus(&table, owner, now)).transpose()?.flatten();
        let evicted = match surplus.and_then(|id| table.remove(id)) {
            None if table.entries.len() >= self.limits.max => {
                let share = owner.map(|owner| owner.share);
                Some(table.make_room(share, self.limits.max, now).ok_or(ConnectionRefused::Full)?)
            }
            evicted => evicted,
        };
        let meter = Arc::new(ConnectionMeter::new(Arc::clone(&self.clock)));
        let id = table.insert(Arc::clone(&meter), owner);
        drop(table);
        if let Some(evicted) = evicted {
            evicted.cut();
        }
        Ok(ConnectionPermit { id, meter, connections: Arc::clone(self) })
    }

    /// Returns the idle connection that ends for one more of this owner. `None`: the address has less than its maximum.
    /// Many people may share an address, and browsers keep connections open that they no longer use.
    ///
    /// # Errors
    /// The address has its maximum, and uses all of them.
    fn surplus(
        &self,
        table: &ConnectionTable,
        owner: ConnectionOwner,
        now: u64,
    ) -> Result<Option<u64>, ConnectionRefused> {
        if self.limits.per_address.is_none_or(|most| table.count_of(owner.address) < most) {
            return Ok(None);
        }
        table.idle_of(owner.address, now).map(Some).ok_or(ConnectionRefused::TooMany)
    }

    fn owner(&self, peer: IpAddr) -> Option<ConnectionOwner> {
        let owner = ConnectionOwner {
            share: ClientKey::of(peer, SHARE_PREFIX),
            address: ClientKey::of(peer, self.limits.v6_prefix),
        };
        (!(self.exempt)(peer)).then_some(owner)
    }

    /// Closes every connection whose peer keeps us waiting for too long.
    pub fn sweep(&self) {
        let (now, minimum_rate) = (self.look_at_clock(), self.limits.minimum_rate);
        let table = self.table.lock();
        let slow: Vec<_> = table
            .entries
            .values()
            .filter(|entry| entry.meter.is_too_slow(minimum_rate, now))
            .map(|entry| Arc::clone(&entry.meter))
            .collect();
        drop(table);
        if !slow.is_empty() {
            tracing::info!(connections = slow.len(), "closed: the client reads its answers too slowly or not at all");
        }
        for meter in slow {
            meter.cut();
        }
    }

    /// Returns the interval at which [`Self::sweep`] must be called.
    pub fn tick(&self) -> Duration {
        (self.limits.minimum_rate.stall / 8).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }

    /// Returns the number of connections.
    pub fn taken(&self) -> usize {
        self.table.lock().entries.len()
    }

    /// Waits until no connection is left.
    pub async fn all_free(&self) {
        loop {
            let freed = self.freed.notified();
            if self.taken() == 0 {
                return;
            }
            freed.await;
        }
    }

    fn look_at_clock(&self) -> u64 {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.clock.store(now, Ordering::Relaxed);
        now
    }
}

impl ConnectionPermit {
    /// Moves the permit to the client of a trusted proxy. If that client has its maximum, an idle connection of it ends.
    ///
    /// # Errors
    /// That client uses its maximum.
    pub(crate) fn belongs_to(&self, client: IpAddr) -> Result<(), ConnectionRefused> {
        let now = self.connections.look_at_clock();
        let owner = self.connections.owner(client);
        let mut table = self.connections.table.lock();
        let surplus = owner.map(|owner| self.connections.surplus(&table, owner, now)).transpose()?.flatten();
        let evicted = surplus.and_then(|id| table.remove(id));
        if let Some(entry) = table.entries.get_mut(&self.id) {
            let before = std::mem::replace(&mut entry.owner, owner);
            table.uncount(self.id, before);
            table.count(self.id, owner);
        }
        drop(table);
        if let Some(evicted) = evicted {
            evicted.cut();
        }
        Ok(())
    }

    /// Marks the connection as in use until the guard is dropped.
    pub fn busy(&self) -> impl Send + 'static + use<> {
        self.meter.begin()
    }

    pub(crate) fn meter(&self) -> &Arc<ConnectionMeter> {
        &self.meter
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut table = self.connections.table.lock();
        table.remove(self.id);
        let empty = table.entries.is_empty();
        drop(table);
        if empty {
            self.connections.freed.notify_waiters();
        }
    }
}

impl fmt::Debug for ConnectionLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Places({} of {})", self.taken(), self.limits.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::BusyGuard;

    fn connections(max: usize, per_address: Option<usize>) -> Arc<ConnectionLimits> {
        let limits = ConnectionSettings { max, per_address, v6_prefix: 64, minimum_rate: MinimumRate::default() };
        ConnectionLimits::new(limits, Box::new(|address| address == ip("192.0.2.1")))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// Takes permits with a request in progress on each.
    fn take(connections: &Arc<ConnectionLimits>, address: &str, count: usize) -> Vec<(ConnectionPermit, BusyGuard)> {
        let take = |_| {
            let permit = connections.admit(ip(address)).expect(address);
            let busy = permit.meter.begin();
            (permit, busy)
        };
        (0..count).map(take).collect()
    }

    fn cut(taken: &[(ConnectionPermit, BusyGuard)]) -> usize {
        taken.iter().filter(|(permit, _)| permit.meter.is_cut()).count()
    }

    #[test]
    fn a_client_above_its_fair_share_is_cut_first() {
        let connections = connections(100, None);
        let many: Vec<_> = (1..=10).map(|host| take(&connections, &format!("203.0.113.{host}"), 10)).collect();
        let innocents: Vec<_> = (1..=10).map(|host| take(&connections, &format!("198.51.100.{host}"), 5)).collect();
        assert!(innocents.iter().all(|taken| cut(taken) == 0), "nobody innocent was cut");
        assert_eq!(many.iter().map(|taken| cut(taken)).sum::<usize>(), 50);
        assert_eq!(connections.taken(), 100);
        // With equal shares a newcomer takes one more, but no client takes a second one from others.
        assert_eq!(connections.admit(ip("203.0.113.1")).map(drop), Err(ConnectionRefused::Full));
        assert!(connections.admit(ip("2001:db8::1")).is_ok());
    }

    #[test]
    fn neighbours_in_a_56_share_and_do_not_evict_the_rest() {
        let connections = connections(20, None);
        let one = take(&connections, "198.51.100.1", 1);
        let attacker: Vec<_> = (0..19).map(|host| take(&connections, &format!("2001:db8:0:{host:x}::1"), 1)).collect();
        assert_eq!(connections.admit(ip("2001:db8:0:ff::1")).map(drop), Err(ConnectionRefused::Full));
        let other = take(&connections, "2001:db8:1::1", 5);
        assert_eq!(attacker.iter().map(|taken| cut(taken)).sum::<usize>(), 5);
        assert_eq!(cut(&one) + cut(&other), 0);
    }

    #[test]
    fn idle_connections_end_first() {
        let connections = connections(4, None);
        let busy = take(&connections, "203.0.113.1", 2);
        let mut idle: Vec<_> = take(&connections, "203.0.113.1", 2);
        idle.remove(0);
        assert_eq!(connections.taken(), 3);
        let permit = connections.admit(ip("203.0.113.1")).expect("room");
        drop(permit.busy());
        let _other = take(&connections, "203.0.113.2", 1);
        assert!(permit.meter.is_cut());
        assert_eq!(cut(&busy) + cut(&idle), 0);
    }

    #[test]
    fn an_idle_connection_makes_room_for_another_of_its_address() {
        let connections = connections(20, Some(3));
        let neighbour = connections.admit(ip("2001:db8:0:1::1")).expect("room");
        drop(neighbour.busy());
        let busy = take(&connections, "2001:db8::1", 2);
        let idle = connections.admit(ip("2001:db8::2")).expect("room");
        drop(idle.busy());
        let next = connections.admit(ip("2001:db8::3")).expect("the idle connection makes room");
        assert!(idle.meter.is_cut() && !neighbour.meter.is_cut() && cut(&busy) == 0);
        let _working = next.busy();
        assert_eq!(connections.admit(ip("2001:db8::4")).map(drop), Err(ConnectionRefused::TooMany));
        assert_eq!(connections.taken(), 4);
        drop(idle);
        assert_eq!(connections.admit(ip("2001:db8::4")).map(drop), Err(ConnectionRefused::TooMany));
    }

    #[test]
    fn a_trusted_proxy_has_no_share_and_its_clients_have() {
        let connections = connections(4, Some(1));
        let proxied: Vec<_> = take(&connections, "192.0.2.1", 4);
        assert_eq!(connections.admit(ip("198.51.100.1")).map(drop), Err(ConnectionRefused::Full));
        let (first, second) = (&proxied[0].0, &proxied[1].0);
        assert_eq!(first.belongs_to(ip("198.51.100.1")), Ok(()));
        assert_eq!(second.belongs_to(ip("198.51.100.1")), Err(ConnectionRefused::TooMany));
        drop(proxied);
        assert_eq!(connections.taken(), 0);
        assert!(connections.table.lock().by_address.is_empty() && connections.table.lock().ranking.is_empty());
    }
}
