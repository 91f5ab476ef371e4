//! The bans in force, in memory, so that the first check of every request reads no database.
//!
//! A million bans take seconds to load. They are loaded beside the first requests, each of which asks the database about
//! its own client.

use crate::query_timeout::{QUERY_TIMEOUT, in_time, within};
use domain::UnixMs;
use domain::ban::{Scope, Trigger};
use domain::client_key::ClientKey;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::bans::{Ban, BanCursor, BanSearch, Bans as StoredBans};

/// Maximum number of client keys for each scope. Beyond it expired ones are removed first, then those that expire
/// soonest.
const CAP: usize = 2_000_000;
/// Number of rows read at a time.
const PAGE: u32 = 5_000;
/// How long a start waits for one page.
pub(crate) const START_TIMEOUT: Duration = Duration::from_mins(1);

/// The table of bans, loaded at startup. This process updates it at once, and other processes' changes arrive within a
/// second.
///
/// Each kind has its own map. Most addresses are in one of them, and a million must fit.
#[derive(Debug, Default)]
pub struct Bans {
    tables: RwLock<BanTables>,
    cursor: Mutex<SyncCursor>,
    /// Whether the tables hold all bans in force.
    is_loaded: AtomicBool,
}

#[derive(Debug, Default)]
struct BanTables {
    sign_in: HashMap<ClientKey, BanTerm>,
    everything: HashMap<ClientKey, BanTerm>,
    /// Manual bans, which apply to known devices and sessions too.
    sign_in_by_hand: HashMap<ClientKey, BanTerm>,
    everything_by_hand: HashMap<ClientKey, BanTerm>,
}

/// The position up to which changes in the store were read.
#[derive(Debug, Default)]
struct SyncCursor {
    after: BanCursor,
    /// The number of the last change when nothing else was left to read.
    up_to: i64,
}

/// The scope of a ban and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveBan {
    pub until: UnixMs,
    pub incident: String,
}

#[derive(Debug, Clone, Copy)]
struct BanTerm {
    since: UnixMs,
    until: UnixMs,
    incident: [u8; 7],
}

impl Bans {
    /// Returns the ban on `client_key` for `scope`: a ban on everything includes sign-in.
    pub fn closed(&self, client_key: ClientKey, scope: Scope, now: UnixMs) -> Option<ActiveBan> {
        let tables = self.tables.read();
        let of_scope = [&tables.everything, &tables.everything_by_hand, &tables.sign_in, &tables.sign_in_by_hand];
        longest(of_scope.into_iter().take(scopes(scope)), client_key, now)
    }

    /// Returns the same for manual bans.
    pub fn manual_ban(&self, client_key: ClientKey, scope: Scope, now: UnixMs) -> Option<ActiveBan> {
        let tables = self.tables.read();
        let of_scope = [&tables.everything_by_hand, &tables.sign_in_by_hand];
        longest(of_scope.into_iter().take(scopes(scope) / 2), client_key, now)
    }

    /// Loads all bans in force if they are one page. Otherwise [`Self::load`] must follow.
    ///
    /// # Errors
    /// The store fails or does not answer.
    pub async fn load_few(&self, store: &(impl StoredBans + Sync + ?Sized), now: UnixMs) -> store::Result<()> {
        let search = BanSearch { in_force: Some(true), limit: PAGE, now, ..BanSearch::default() };
        if within(START_TIMEOUT, store.search_bans(&search)).await?.len() < PAGE as usize {
            self.load(store, now, START_TIMEOUT).await?;
        }
        Ok(())
    }

    /// Reads the bans on a client's address and on its own bucket, as long as not all bans are loaded.
    ///
    /// # Errors
    /// The store fails or does not answer.
    pub async fn look_up(
        &self,
        store: &(impl StoredBans + Sync + ?Sized),
        keys: [ClientKey; 2],
        now: UnixMs,
    ) -> store::Result<()> {
        if self.is_loaded() {
            return Ok(());
        }
        let [address, own] = keys;
        for client_key in std::iter::once(address).chain((own != address).then_some(own)) {
            self.apply(&in_time(store.bans_on(client_key, now)).await?);
        }
        Ok(())
    }

    /// Whether all bans in force are loaded.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    /// Loads all bans in force in pages, and forgets all others. A million rows are never in memory at once. Each page
    /// may take as long as `timeout`.
    ///
    /// # Errors
    /// The store fails or does not answer. Then the bans stay as they were.
    pub async fn load(
        &self,
        store: &(impl StoredBans + Sync + ?Sized),
        now: UnixMs,
        timeout: Duration,
    ) -> store::Result<()> {
        // Read first, so that changes during loading are read again.
        let up_to = within(timeout, store.last_ban_change()).await?;
        let mut search = BanSearch { in_force: Some(true), limit: PAGE, now, ..BanSearch::default() };
        let mut loaded = BanTables::default();
        loop {
            let page = within(timeout, store.search_bans(&search)).await?;
            loaded.apply(&page);
            match page.last() {
                Some(last) if page.len() == PAGE as usize => search.before = Some(last.id.clone()),
                _ => break,
            }
        }
        *self.tables.write() = loaded;
        *self.cursor.lock() = SyncCursor { after: BanCursor::after(up_to), up_to };
        // This process may have imposed a ban meanwhile, which is not in the new tables.
        let last = in_time(store.last_ban_change()).await?;
        self.read_changes(store, last).await?;
        self.is_loaded.store(true, Ordering::Release);
        Ok(())
    }

    /// Applies the changes up to the number `last` in pages, each once. The first load reads them itself.
    ///
    /// # Errors
    /// The store fails or does not answer.
    pub async fn catch_up(
        &self,
        store: &(impl StoredBans + Sync + ?Sized),
        last: i64,
        now: UnixMs,
    ) -> store::Result<()> {
        if !self.is_loaded() {
            return Ok(());
        }
        let (after, up_to) = {
            let cursor = self.cursor.lock();
            (cursor.after.seq, cursor.up_to)
        };
        // The database is an older copy: a failover or a restored backup.
        if last != up_to && last < after {
            return self.load(store, now, QUERY_TIMEOUT).await;
        }
        self.read_changes(store, last).await
    }

    async fn read_changes(&self, store: &(impl StoredBans + Sync + ?Sized), last: i64) -> store::Result<()> {
        let (mut after, up_to) = {
            let cursor = self.cursor.lock();
            (cursor.after.clone(), cursor.up_to)
        };
        if last == up_to {
            return Ok(());
        }
        loop {
            let changes = in_time(store.bans_changed(&after, PAGE)).await?;
            self.apply(&changes.bans);
            after = changes.next;
            let more = changes.bans.len() == PAGE as usize;
            let up_to = if more { up_to } else { last };
            *self.cursor.lock() = SyncCursor { after: after.clone(), up_to };
            if !more {
                return Ok(());
            }
        }
    }

    /// Applies imposed and lifted bans, oldest first.
    pub fn apply(&self, changed: &[Ban]) {
        self.tables.write().apply(changed);
    }

    /// Removes expired bans and releases their memory.
    pub fn sweep(&self, now: UnixMs) {
        let mut tables = self.tables.write();
        for table in tables.all_mut() {
            table.retain(|_, term| term.until > now);
            if table.capacity() > 4 * table.len() + 1024 {
                table.shrink_to(2 * table.len());
            }
        }
    }

    /// Returns the number of bans.
    pub fn len(&self) -> usize {
        self.tables.write().all_mut().iter().map(|table| table.len()).sum()
    }

    /// Counts the bans that are in force at `now`; several on one address and scope are one.
    pub fn in_force(&self, now: UnixMs) -> usize {
        let tables = self.tables.read();
        let all = [&tables.sign_in, &tables.everything, &tables.sign_in_by_hand, &tables.everything_by_hand];
        all.iter().map(|table| table.values().filter(|term| term.until > now).count()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl BanTables {
    fn apply(&mut self, changed: &[Ban]) {
        for ban in changed {
            let table = self.of(ban.scope, ban.trigger == Trigger::Manual);
            match ban.lifted_at {
                Some(lifted_at) => lift(table, ban, lifted_at),
                None => insert(table, ban),
            }
        }
    }

    fn of(&mut self, scope: Scope, by_hand: bool) -> &mut HashMap<ClientKey, BanTerm> {
        match (scope, by_hand) {
            (Scope::SignIn, false) => &mut self.sign_in,
            (Scope::Everything, false) => &mut self.everything,
            (Scope::SignIn, true) => &mut self.sign_in_by_hand,
            (Scope::Everything, true) => &mut self.everything_by_hand,
        }
    }

    fn all_mut(&mut self) -> [&mut HashMap<ClientKey, BanTerm>; 4] {
        [&mut self.sign_in, &mut self.everything, &mut self.sign_in_by_hand, &mut self.everything_by_hand]
    }
}

/// Returns how many of the four kinds of bans apply to a scope, in order of breadth.
fn scopes(scope: Scope) -> usize {
    match scope {
        Scope::Everything => 2,
        Scope::SignIn => 4,
    }
}

fn longest<'a>(
    tables: impl Iterator<Item = &'a HashMap<ClientKey, BanTerm>>,
    client_key: ClientKey,
    now: UnixMs,
) -> Option<ActiveBan> {
    let longest = tables.filter_map(|table| table.get(&client_key)).max_by_key(|term| term.until)?;
    (longest.until > now)
        .then(|| ActiveBan { until: longest.until, incident: String::from_utf8_lossy(&longest.incident).into_owned() })
}

fn insert(table: &mut HashMap<ClientKey, BanTerm>, ban: &Ban) {
    if table.len() >= CAP && !table.contains_key(&ban.client_key) {
        make_room(table, ban.since);
    }
    let mut incident = *b"       ";
    for (slot, byte) in incident.iter_mut().zip(ban.incident.bytes()) {
        *slot = byte;
    }
    let term = BanTerm { since: ban.since, until: ban.until, incident };
    let held = table.entry(ban.client_key).or_insert(term);
    if held.until < ban.until {
        *held = term;
    }
}

fn lift(table: &mut HashMap<ClientKey, BanTerm>, ban: &Ban, lifted_at: UnixMs) {
    if table.get(&ban.client_key).is_some_and(|held| held.since <= lifted_at) {
        table.remove(&ban.client_key);
    }
}

fn make_room(table: &mut HashMap<ClientKey, BanTerm>, now: UnixMs) {
    table.retain(|_, term| term.until > now);
    if table.len() >= CAP {
        let mut ends: Vec<UnixMs> = table.values().map(|term| term.until).collect();
        let (_, soon, _) = ends.select_nth_unstable(CAP / 10);
        let soon = *soon;
        table.retain(|_, term| term.until > soon);
    }
}

#[cfg(test)]
mod loading;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    fn ban(scope: Scope, since: UnixMs, until: UnixMs, lifted_at: Option<UnixMs>) -> Ban {
        Ban {
            id: format!("{since}").into(),
            incident: "7F3K-2Q".to_owned(),
            client_key: "203.0.113.7".parse().expect("an identity"),
            scope,
            trigger: Trigger::Flood,
            reason: String::new(),
            evidence: String::new(),
            since,
            until,
            made_by: "engine".to_owned(),
            lifted_at,
            lifted_by: None,
            lift_reason: None,
        }
    }

    #[test]
    fn scopes_ends_and_lifting() {
        let bans = Bans::default();
        let who = "203.0.113.7".parse().expect("an identity");
        bans.apply(&[ban(Scope::SignIn, at(10), at(100), None)]);
        assert_eq!(bans.closed(who, Scope::SignIn, at(50)).expect("closed").until, at(100));
        assert_eq!(bans.closed(who, Scope::Everything, at(50)), None);
        assert_eq!(bans.closed(who, Scope::SignIn, at(100)), None);
        bans.apply(&[ban(Scope::Everything, at(20), at(200), None), ban(Scope::Everything, at(30), at(60), None)]);
        assert_eq!(bans.closed(who, Scope::SignIn, at(50)).expect("closed").until, at(200));
        assert_eq!(bans.closed(who, Scope::Everything, at(50)).expect("closed").incident, "7F3K-2Q");
        bans.apply(&[ban(Scope::Everything, at(20), at(200), Some(at(70)))]);
        assert_eq!(bans.closed(who, Scope::Everything, at(80)), None);
        bans.apply(&[
            ban(Scope::Everything, at(90), at(300), None),
            ban(Scope::Everything, at(20), at(200), Some(at(70))),
        ]);
        assert!(bans.closed(who, Scope::Everything, at(95)).is_some(), "an old lift does not undo a later ban");
        bans.sweep(at(400));
        assert!(bans.is_empty());
    }

    #[test]
    fn a_manual_ban_is_distinct_from_automatic_ones_and_memory_is_freed() {
        let bans = Bans::default();
        let who = "203.0.113.7".parse().expect("an identity");
        bans.apply(&[ban(Scope::Everything, at(10), at(500), None)]);
        assert_eq!(bans.manual_ban(who, Scope::SignIn, at(50)), None);
        bans.apply(&[Ban { trigger: Trigger::Manual, ..ban(Scope::SignIn, at(20), at(100), None) }]);
        assert_eq!(bans.manual_ban(who, Scope::SignIn, at(50)).expect("by hand").until, at(100));
        assert_eq!(bans.manual_ban(who, Scope::Everything, at(50)), None);
        assert_eq!(bans.closed(who, Scope::SignIn, at(50)).expect("either").until, at(500));
        for n in 0..20_000_u32 {
            let client_key = ClientKey::V4(std::net::Ipv4Addr::from_bits(n));
            bans.apply(&[Ban { client_key, ..ban(Scope::Everything, at(10), at(100), None) }]);
        }
        let held = bans.tables.read().everything.capacity();
        bans.sweep(at(100));
        let kept = bans.tables.read().everything.capacity();
        assert!(held >= 20_000 && kept < 2_000 && bans.len() == 1, "{held} {kept}");
    }
}
