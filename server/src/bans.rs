//! The bans in force, in memory: the first question of every request asks no database.

use domain::UnixMs;
use domain::ban::Scope;
use domain::identity::Identity;
use parking_lot::RwLock;
use std::collections::HashMap;
use store::Store;
use store::bans::{Ban, Search};

/// The most identities held for each scope. Past it those that have run out go first, then those soonest to.
const CAP: usize = 2_000_000;
/// Rows at a time when they are loaded.
const PAGE: u32 = 5_000;

/// The table: loaded at start, changed at once by this process, within a second by others.
///
/// A map for each scope: most addresses stand in one of them, and a million of them must fit.
#[derive(Debug, Default)]
pub struct Bans(RwLock<Tables>);

#[derive(Debug, Default)]
struct Tables {
    sign_in: HashMap<Identity, Term>,
    everything: HashMap<Identity, Term>,
}

/// What closes an address, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub until: UnixMs,
    pub incident: String,
}

#[derive(Debug, Clone, Copy)]
struct Term {
    since: UnixMs,
    until: UnixMs,
    incident: [u8; 7],
}

impl Bans {
    /// What closes `identity` for `scope` now: a ban on everything closes sign-in too.
    pub fn closed(&self, identity: Identity, scope: Scope, now: UnixMs) -> Option<Closed> {
        let tables = self.0.read();
        let everything = tables.everything.get(&identity);
        let sign_in = if scope == Scope::SignIn { tables.sign_in.get(&identity) } else { None };
        let longest = *[sign_in, everything].into_iter().flatten().max_by_key(|term| term.until)?;
        drop(tables);
        (longest.until > now)
            .then(|| Closed { until: longest.until, incident: String::from_utf8_lossy(&longest.incident).into_owned() })
    }

    /// Takes in every ban that is in force, a page at a time: a million of them are never all rows at once.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn load(&self, store: &dyn Store, now: UnixMs) -> store::Result<()> {
        let mut search = Search { in_force: Some(true), limit: PAGE, now, ..Search::default() };
        loop {
            let page = store.search_bans(&search).await?;
            self.apply(&page);
            match page.last() {
                Some(last) if page.len() == PAGE as usize => search.before = Some(last.id.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// Takes in bans that were made or lifted, oldest first.
    pub fn apply(&self, changed: &[Ban]) {
        let mut tables = self.0.write();
        for ban in changed {
            let table = tables.of(ban.scope);
            match ban.lifted_at {
                Some(lifted_at) => lift(table, ban, lifted_at),
                None => insert(table, ban),
            }
        }
    }

    /// Forgets what has run out.
    pub fn sweep(&self, now: UnixMs) {
        let mut tables = self.0.write();
        for scope in [Scope::SignIn, Scope::Everything] {
            tables.of(scope).retain(|_, term| term.until > now);
        }
    }

    /// How many bans there are.
    pub fn len(&self) -> usize {
        let tables = self.0.read();
        tables.sign_in.len() + tables.everything.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Tables {
    fn of(&mut self, scope: Scope) -> &mut HashMap<Identity, Term> {
        match scope {
            Scope::SignIn => &mut self.sign_in,
            Scope::Everything => &mut self.everything,
        }
    }
}

fn insert(table: &mut HashMap<Identity, Term>, ban: &Ban) {
    if table.len() >= CAP && !table.contains_key(&ban.identity) {
        make_room(table, ban.since);
    }
    let mut incident = *b"       ";
    for (slot, byte) in incident.iter_mut().zip(ban.incident.bytes()) {
        *slot = byte;
    }
    let term = Term { since: ban.since, until: ban.until, incident };
    let held = table.entry(ban.identity).or_insert(term);
    if held.until < ban.until {
        *held = term;
    }
}

fn lift(table: &mut HashMap<Identity, Term>, ban: &Ban, lifted_at: UnixMs) {
    if table.get(&ban.identity).is_some_and(|held| held.since <= lifted_at) {
        table.remove(&ban.identity);
    }
}

fn make_room(table: &mut HashMap<Identity, Term>, now: UnixMs) {
    table.retain(|_, term| term.until > now);
    if table.len() >= CAP {
        let mut ends: Vec<UnixMs> = table.values().map(|term| term.until).collect();
        let (_, soon, _) = ends.select_nth_unstable(CAP / 10);
        let soon = *soon;
        table.retain(|_, term| term.until > soon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ban::Trigger;

    fn ban(scope: Scope, since: UnixMs, until: UnixMs, lifted_at: Option<UnixMs>) -> Ban {
        Ban {
            id: format!("{since}"),
            incident: "7F3K-2Q".to_owned(),
            identity: "203.0.113.7".parse().expect("an identity"),
            scope,
            trigger: Trigger::Manual,
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
        bans.apply(&[ban(Scope::SignIn, 10, 100, None)]);
        assert_eq!(bans.closed(who, Scope::SignIn, 50).expect("closed").until, 100);
        assert_eq!(bans.closed(who, Scope::Everything, 50), None);
        assert_eq!(bans.closed(who, Scope::SignIn, 100), None);
        bans.apply(&[ban(Scope::Everything, 20, 200, None), ban(Scope::Everything, 30, 60, None)]);
        assert_eq!(bans.closed(who, Scope::SignIn, 50).expect("closed").until, 200);
        assert_eq!(bans.closed(who, Scope::Everything, 50).expect("closed").incident, "7F3K-2Q");
        bans.apply(&[ban(Scope::Everything, 20, 200, Some(70))]);
        assert_eq!(bans.closed(who, Scope::Everything, 80), None);
        bans.apply(&[ban(Scope::Everything, 90, 300, None), ban(Scope::Everything, 20, 200, Some(70))]);
        assert!(bans.closed(who, Scope::Everything, 95).is_some(), "an old lift does not undo a later ban");
        bans.sweep(400);
        assert!(bans.is_empty());
    }
}
