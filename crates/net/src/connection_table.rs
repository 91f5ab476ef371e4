//! The table of open connections, which finds the one to close.

use crate::meter::ConnectionMeter;
use domain::client_key::ClientKey;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Number of holders, the largest first, that are searched for an idle connection.
const SEARCHED: usize = 32;

/// The open connections, indexed by share and by address.
#[derive(Default)]
pub(crate) struct ConnectionTable {
    next: u64,
    pub(crate) entries: HashMap<u64, Entry>,
    /// Connections by share.
    holders: HashMap<ClientKey, HashSet<u64>>,
    /// The same shares, ordered by number of connections.
    pub(crate) ranking: BTreeSet<(usize, ClientKey)>,
    /// Connections by address.
    pub(crate) by_address: HashMap<ClientKey, HashSet<u64>>,
    /// Connections of trusted proxies.
    exempt: HashSet<u64>,
}

pub(crate) struct Entry {
    pub(crate) meter: Arc<ConnectionMeter>,
    pub(crate) owner: Option<ConnectionOwner>,
}

/// The owner of a connection; none for a trusted proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionOwner {
    pub(crate) share: ClientKey,
    pub(crate) address: ClientKey,
}

impl ConnectionTable {
    pub(crate) fn insert(&mut self, meter: Arc<ConnectionMeter>, owner: Option<ConnectionOwner>) -> u64 {
        let id = self.next;
        self.next += 1;
        self.entries.insert(id, Entry { meter, owner });
        self.count(id, owner);
        id
    }

    pub(crate) fn count(&mut self, id: u64, owner: Option<ConnectionOwner>) {
        let Some(ConnectionOwner { share, address }) = owner else {
            self.exempt.insert(id);
            return;
        };
        let of_share = self.holders.entry(share).or_default();
        self.ranking.remove(&(of_share.len(), share));
        of_share.insert(id);
        self.ranking.insert((of_share.len(), share));
        self.by_address.entry(address).or_default().insert(id);
    }

    pub(crate) fn uncount(&mut self, id: u64, owner: Option<ConnectionOwner>) {
        let Some(ConnectionOwner { share, address }) = owner else {
            self.exempt.remove(&id);
            return;
        };
        if let Some(of_share) = self.holders.get_mut(&share) {
            self.ranking.remove(&(of_share.len(), share));
            of_share.remove(&id);
            if of_share.is_empty() {
                self.holders.remove(&share);
            } else {
                self.ranking.insert((of_share.len(), share));
            }
        }
        if let Some(of_address) = self.by_address.get_mut(&address) {
            of_address.remove(&id);
            if of_address.is_empty() {
                self.by_address.remove(&address);
            }
        }
    }

    /// Releases a permit and returns the connection to close. A missing entry was released before.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Arc<ConnectionMeter>> {
        let entry = self.entries.remove(&id)?;
        self.uncount(id, entry.owner);
        Some(entry.meter)
    }

    pub(crate) fn make_room(
        &mut self,
        newcomer: Option<ClientKey>,
        max: usize,
        now: u64,
    ) -> Option<Arc<ConnectionMeter>> {
        let own = newcomer.and_then(|share| self.holders.get(&share)).map_or(0, HashSet::len);
        let holders = self.holders.len() + usize::from(newcomer.is_some() && own == 0);
        let (greatest, share) = self.ranking.last().copied().unzip();
        // The newcomer's additional connection must not make it the next to lose one.
        let fair = (max / holders.max(1)).max(own + 1);
        let of_greatest = share.filter(|_| greatest > Some(fair)).and_then(|share| self.holders.get(&share));
        let victim = match of_greatest {
            Some(ids) => self.idlest(ids.iter()),
            None => self.idle(newcomer, own, now),
        };
        self.remove(victim?)
    }

    /// Returns the connection to close first: an idle one, or the one without progress for longest; the newest of
    /// equals.
    fn idlest<'a>(&self, ids: impl Iterator<Item = &'a u64>) -> Option<u64> {
        let rank = |id: &u64| {
            let meter = &self.entries.get(id)?.meter;
            let idle = meter.idle();
            Some((idle.is_none(), idle.map_or(meter.moved_at(), |(since, _)| since), Reverse(*id)))
        };
        ids.filter_map(rank).min().map(|(_, _, Reverse(id))| id)
    }

    /// Returns an idle connection: of a holder with more connections than the newcomer, of its own, or of a proxy.
    fn idle(&self, newcomer: Option<ClientKey>, own: usize, now: u64) -> Option<u64> {
        let holders = self.ranking.iter().rev().filter(|(count, share)| *count > own || Some(*share) == newcomer);
        let holders = holders.take(SEARCHED).filter_map(|(_, share)| self.holders.get(share));
        holders.chain([&self.exempt]).find_map(|ids| self.if_idle(self.idlest(ids.iter())?, now))
    }

    /// Returns how many connections an address has.
    pub(crate) fn count_of(&self, address: ClientKey) -> usize {
        self.by_address.get(&address).map_or(0, HashSet::len)
    }

    /// Returns an idle connection of an address.
    pub(crate) fn idle_of(&self, address: ClientKey, now: u64) -> Option<u64> {
        self.if_idle(self.idlest(self.by_address.get(&address)?.iter())?, now)
    }

    /// Returns the connection if it is idle. One that was just accepted has had no time to send a request.
    fn if_idle(&self, id: u64, now: u64) -> Option<u64> {
        self.entries.get(&id)?.meter.idle().filter(|(since, ever)| *ever || *since < now).map(|_| id)
    }
}
