//! The session cache for checks in every request.

use crate::cache_counts::CacheCounts;
use domain::UnixMs;
use domain::authentication::{Authentication, Methods};
use domain::ids::SessionId;
use domain::revocation::EndedSessions;
use domain::session::{is_first_use, takes_access};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use store::sessions::{SessionChange, SessionRow};

/// Number of cached sessions.
const REMEMBERED: usize = 100_000;

/// The part of a session that a check needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveSession {
    pub generation: u32,
    /// The newest generation of which an access token was presented.
    pub used: u32,
    pub bound: bool,
    pub rotated_at: UnixMs,
    pub idle_at: UnixMs,
    pub ends_at: UnixMs,
    pub revoked: bool,
    pub authentication: Authentication,
    /// Another number after each change of what is stored of the session, its person or its grants.
    pub version: u64,
}

/// A bounded cache over the store. [`SessionCache::apply`] brings other nodes' changes.
#[derive(Debug, Clone)]
pub struct SessionCache {
    live: Arc<Cache<SessionId, LiveSession>>,
    /// Locked by each write. Otherwise a change that began before an end could bring the session back.
    writing: Arc<Mutex<()>>,
    ended: Arc<RwLock<EndedSessions>>,
    /// The last version that was given.
    versions: Arc<AtomicU64>,
    /// The number of calls of [`Self::outdate`] and [`Self::clear`].
    outdated: Arc<AtomicU64>,
    counts: CacheCounts,
}

/// The state of the cache before rows were read from the store.
#[derive(Debug, Clone, Copy)]
pub struct BeforeReading(u64);

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            live: Arc::new(Cache::new(REMEMBERED)),
            writing: Arc::default(),
            ended: Arc::default(),
            versions: Arc::default(),
            outdated: Arc::default(),
            counts: CacheCounts::default(),
        }
    }
}

impl SessionCache {
    /// Whether the session accepts an access token of this generation. In an unbound session, the first token of a
    /// generation is recorded before the answer, and the access token of the previous generation is invalid from then
    /// on.
    ///
    /// # Errors
    /// The session is not in memory or a generation must be recorded, and the store does not answer.
    pub async fn takes(&self, store: &dyn Store, id: &SessionId, generation: u32, now: UnixMs) -> store::Result<bool> {
        let Some(live) = self.find(store, id, now).await?.filter(|live| live.takes(generation, now)) else {
            return Ok(false);
        };
        if is_first_use(live.bound, live.generation, live.used, generation) {
            store.show_generation(id, generation).await?;
            self.alter(id, |live| LiveSession { used: live.used.max(generation), ..live });
        }
        Ok(true)
    }

    /// Whether the session is live, independent of its tokens.
    ///
    /// # Errors
    /// The session is not cached and the store fails.
    pub async fn is_live(&self, store: &dyn Store, id: &SessionId, now: UnixMs) -> store::Result<bool> {
        Ok(self.find(store, id, now).await?.is_some_and(|live| live.is_live(now)))
    }

    /// Returns how a live session was authenticated, as far as this node knows.
    ///
    /// # Errors
    /// The session is not cached and the store fails.
    pub async fn methods(&self, store: &dyn Store, id: &SessionId, now: UnixMs) -> store::Result<Option<Methods>> {
        Ok(self.find(store, id, now).await?.map(|live| live.authentication.methods))
    }

    /// Whether the session is live according to the cache only. If it is not cached, a recent end is still known;
    /// `otherwise` is the answer for the rest.
    pub fn seems_live(&self, id: &SessionId, otherwise: bool, now: UnixMs) -> bool {
        match self.live.get(id) {
            Some(live) => live.is_live(now),
            None => otherwise && !self.ended.read().contains(id),
        }
    }

    /// Finds a session in the cache, or in the store. A cached session that has expired is read again, because another
    /// node may have extended it.
    async fn find(&self, store: &dyn Store, id: &SessionId, now: UnixMs) -> store::Result<Option<LiveSession>> {
        if let Some(live) = self.live.get(id).filter(|live| live.revoked || live.is_live(now)) {
            self.counts.hits.inc();
            return Ok(Some(live));
        }
        self.counts.misses.inc();
        Ok(store.session(id).await?.map(|row| self.update(&row)))
    }

    /// Returns how often a session was cached.
    pub fn cache(&self) -> &CacheCounts {
        &self.counts
    }

    /// Caches a row that was read or written.
    pub fn update(&self, row: &SessionRow) -> LiveSession {
        let live = LiveSession {
            generation: row.life.generation,
            used: row.life.used,
            bound: row.life.jkt.is_some(),
            rotated_at: row.life.rotated_at,
            idle_at: row.life.idle_at,
            ends_at: row.life.ends_at,
            revoked: row.life.revoked || row.user_disabled,
            authentication: row.authentication,
            version: self.next_version(),
        };
        self.insert(&row.id, live)
    }

    /// Caches a session, and returns it as it is cached.
    pub fn insert(&self, id: &SessionId, live: LiveSession) -> LiveSession {
        {
            let _writing = self.writing.lock();
            self.live.insert(id.to_owned(), live);
        }
        // The session may have ended after the row was read or written, and its end have been applied before this.
        if !live.revoked && self.ended.read().contains(id) {
            self.alter(id, |live| LiveSession { revoked: true, ..live });
            return LiveSession { revoked: true, ..live };
        }
        live
    }

    /// Changes a cached session.
    fn alter(&self, id: &SessionId, change: impl FnOnce(LiveSession) -> LiveSession) {
        let _writing = self.writing.lock();
        let Some(live) = self.live.get(id) else { return };
        let changed = change(live);
        if changed != live {
            self.live.insert(id.to_owned(), changed);
        }
    }

    /// Returns a number that no cached session has.
    pub fn next_version(&self) -> u64 {
        self.versions.fetch_add(1, Ordering::SeqCst)
    }

    /// Returns the version of a live session, if it is cached.
    pub fn version(&self, id: &SessionId, now: UnixMs) -> Option<u64> {
        self.live.get(id).filter(|live| live.is_live(now)).map(|live| live.version)
    }

    /// Call it before a row of a session, its person or its grants is read, to keep what is made from it.
    pub fn before_reading(&self) -> BeforeReading {
        BeforeReading(self.outdated.load(Ordering::SeqCst))
    }

    /// Returns the version of a live session for what is made from rows. Rows that were read since `before` belong to
    /// it, and so do rows that are read later, while it is the session's version. `None`: the session has ended, or the
    /// rows that were read may be of before a change.
    ///
    /// # Errors
    /// The session is not cached and the store fails.
    pub async fn version_since(
        &self,
        store: &dyn Store,
        id: &SessionId,
        before: BeforeReading,
        now: UnixMs,
    ) -> store::Result<Option<u64>> {
        let live = self.find(store, id, now).await?.filter(|live| live.is_live(now));
        // In this order: a change that is not counted yet will find the session, and give it another version.
        Ok(live.map(|live| live.version).filter(|_| self.outdated.load(Ordering::SeqCst) == before.0))
    }

    /// Gives cached sessions another version after a change of what is stored of them.
    pub fn outdate<'a>(&self, ids: impl IntoIterator<Item = &'a SessionId>) {
        // Before the versions, for rows that are read meanwhile.
        self.outdated.fetch_add(1, Ordering::SeqCst);
        for id in ids {
            let version = self.next_version();
            self.alter(id, |live| LiveSession { version, ..live });
        }
    }

    /// Updates when and how a cached session was authenticated.
    pub fn renew(&self, id: &SessionId, authentication: Authentication) {
        self.alter(id, |live| LiveSession { authentication, ..live });
    }

    /// Ends a session in this cache at once.
    pub fn end(&self, id: &SessionId, now: UnixMs) {
        self.ended.write().add(id, now, now);
        self.alter(id, |live| LiveSession { revoked: true, ..live });
    }

    /// Returns the recently ended sessions of all nodes.
    pub fn ended(&self) -> &RwLock<EndedSessions> {
        &self.ended
    }

    /// Adds sessions that ended before this process started.
    pub fn remember(&self, ended: &[(SessionId, UnixMs)], now: UnixMs) {
        let mut known = self.ended.write();
        for (id, ended_at) in ended {
            known.add(id, *ended_at, now);
        }
    }

    /// Clears the cache, so that the next check reads the store.
    pub fn clear(&self) {
        self.outdated.fetch_add(1, Ordering::SeqCst);
        self.live.clear();
    }

    /// Applies other nodes' changes: all ends, and changes of cached sessions.
    pub fn apply(&self, changes: &[SessionChange], now: UnixMs) {
        for change in changes {
            if let Some(ended_at) = change.revoked_at {
                // Ended when this node read it at the earliest, because the writer's clock may be slow.
                self.ended.write().add(&change.id, ended_at.max(now), now);
            }
            self.alter(&change.id, |held| LiveSession {
                generation: change.generation.max(held.generation),
                rotated_at: change.rotated_at.max(held.rotated_at),
                idle_at: change.idle_at.max(held.idle_at),
                ends_at: change.ends_at,
                revoked: change.revoked_at.is_some() || held.revoked,
                authentication: later(change.authentication, held.authentication),
                ..held
            });
        }
    }
}

/// Returns the later of two. A change may have been read before a renewal that is already cached.
fn later(one: Authentication, other: Authentication) -> Authentication {
    if one.at >= other.at { one } else { other }
}

impl LiveSession {
    fn takes(self, generation: u32, now: UnixMs) -> bool {
        self.is_live(now) && takes_access(self.generation, self.rotated_at, generation, now)
    }

    fn is_live(self, now: UnixMs) -> bool {
        !self.revoked && now < self.idle_at && now < self.ends_at
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use domain::account::Role;
    use domain::session::Session;
    use domain::token_hash::TokenHash;

    #[test]
    fn a_row_that_was_read_before_its_session_ended_admits_nobody() {
        let cache = SessionCache::default();
        let row = SessionRow {
            id: "one".into(),
            user: "ada".into(),
            username: "ada".to_owned(),
            role: Role::User,
            user_disabled: false,
            life: Session {
                generation: 0,
                current: TokenHash::stored(String::new()),
                previous: None,
                rotated_at: UnixMs::EPOCH,
                used: 0,
                jkt: None,
                idle_at: UnixMs::from_millis(100),
                ends_at: UnixMs::from_millis(100),
                revoked: false,
            },
            authentication: Authentication { methods: Methods::PASSWORD, at: UnixMs::EPOCH },
            device: String::new(),
            address: String::new(),
            receiving_key: None,
            created_at: UnixMs::EPOCH,
            used_at: UnixMs::EPOCH,
        };
        assert!(cache.update(&row).is_live(UnixMs::from_millis(1)));
        // Another request has read the row; the end is applied before it is cached again.
        cache.live.remove(&row.id);
        cache.end(&"one".into(), UnixMs::from_millis(1));
        assert!(!cache.update(&row).is_live(UnixMs::from_millis(1)));
        assert!(!cache.seems_live(&"one".into(), true, UnixMs::from_millis(1)));
    }

    pub(crate) fn live(ends_at: UnixMs, version: u64) -> LiveSession {
        LiveSession {
            generation: 0,
            used: 0,
            bound: true,
            rotated_at: UnixMs::EPOCH,
            idle_at: ends_at,
            ends_at,
            revoked: false,
            authentication: Authentication { methods: Methods::PASSWORD, at: UnixMs::EPOCH },
            version,
        }
    }

    #[test]
    fn a_change_gives_a_session_another_version_and_an_end_none() {
        let cache = SessionCache::default();
        let (one, unknown) = (SessionId::from("one"), SessionId::from("unknown"));
        cache.insert(&one, live(UnixMs::from_millis(100), cache.next_version()));
        let first = cache.version(&one, UnixMs::from_millis(1));
        assert!(first.is_some() && cache.version(&one, UnixMs::from_millis(100)).is_none(), "it has expired");
        cache.outdate([&one, &unknown]);
        let second = cache.version(&one, UnixMs::from_millis(1));
        assert!(second.is_some() && second != first && cache.version(&unknown, UnixMs::from_millis(1)).is_none());
        cache.renew(&one, Authentication { methods: Methods::PASSWORD, at: UnixMs::from_millis(7) });
        assert_eq!(cache.version(&one, UnixMs::from_millis(1)), second);
        cache.end(&one, UnixMs::from_millis(1));
        assert_eq!(cache.version(&one, UnixMs::from_millis(1)), None);
        cache.outdate([&one]);
        assert_eq!(cache.version(&one, UnixMs::from_millis(1)), None, "nothing brings it back");
    }

    #[test]
    fn changes_at_the_same_time_lose_no_end() {
        for _ in 0..200 {
            let cache = SessionCache::default();
            let one = SessionId::from("one");
            cache.insert(&one, live(UnixMs::from_millis(100), cache.next_version()));
            std::thread::scope(|scope| {
                scope.spawn(|| cache.end(&one, UnixMs::from_millis(1)));
                for at in (0..4).map(UnixMs::from_millis) {
                    let (cache, one) = (&cache, &one);
                    scope.spawn(move || cache.renew(one, Authentication { methods: Methods::PASSWORD, at }));
                }
            });
            assert!(!cache.live.get(&one).expect("cached").is_live(UnixMs::from_millis(1)));
        }
    }
}
