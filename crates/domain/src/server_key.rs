//! The server's own keys over time: which one is in use, which are published before, and which serve
//! on after they were replaced.
//!
//! Keys of a kind stand in a line, by the time from which each is used. The newest whose time has come
//! has its turn, until the next one's time. A revoked key serves nobody; if it had its turn, the next
//! one steps in early.

use crate::UnixMs;

/// How long whoever reads our public keys may keep them.
pub const CACHE_MS: i64 = 300_000;

/// The longest that a token or ticket of ours is good for.
pub const LONGEST_TOKEN_MS: i64 = 600_000;

/// Room for news to reach other nodes, and for their clocks.
const NEWS_MS: i64 = 5_000;
const CLOCKS_MS: i64 = 60_000;

/// How keys of a kind follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A new key is known for so long before it is used.
    pub lead_ms: i64,
    /// A replaced key serves for so long after.
    pub overlap_ms: i64,
}

impl Rules {
    /// The next signing key is out before anybody needs it; the old one stays until its last token is over.
    pub const SIGNING: Self = Self { lead_ms: CACHE_MS + NEWS_MS, overlap_ms: LONGEST_TOKEN_MS + CLOCKS_MS };

    /// Envelope keys are asked for with each challenge: only our own nodes must have heard of a new one.
    pub fn envelope(overlap_ms: i64) -> Self {
        Self { lead_ms: NEWS_MS, overlap_ms }
    }

    /// A MAC key verifies for as long as a session may live, so that no refresh token outlives it. Nobody but our own
    /// nodes needs it; it is made as early as a signing key, because a node that does not know it takes honest values
    /// for forgeries.
    pub fn mac(longest_session_ms: i64) -> Self {
        Self { lead_ms: CACHE_MS + NEWS_MS, overlap_ms: longest_session_ms.saturating_add(CLOCKS_MS) }
    }
}

/// What the rules need to know of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub kid: String,
    pub used_from: UnixMs,
    pub revoked_at: Option<UnixMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Published, and not used before its time.
    Next,
    Current,
    /// Replaced; what it signed, or what was sealed to it, is still good.
    Overlap,
    Ended,
    Revoked,
}

impl State {
    /// Whether others are to know it, and what it did is good.
    pub fn serves(self) -> bool {
        matches!(self, Self::Next | Self::Current | Self::Overlap)
    }
}

/// All keys of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Those that have had a turn or may have one, in order.
    keys: Vec<Key>,
    /// Those that were revoked before their time: they never had one.
    dropped: Vec<Key>,
}

impl Line {
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        let came = |key: &Key| key.revoked_at.is_none_or(|revoked_at| revoked_at > key.used_from);
        let (mut keys, dropped): (Vec<_>, Vec<_>) = keys.into_iter().partition(came);
        keys.sort_by(|a, b| (a.used_from, &a.kid).cmp(&(b.used_from, &b.kid)));
        Self { keys, dropped }
    }

    /// The key that signs, or that is given out to seal to. `None`: there is none left ([`Self::needs_another`]).
    pub fn current(&self, now: UnixMs) -> Option<&Key> {
        self.keys.get(self.turn(now)?)
    }

    /// The last in line, revoked or not: what a new key follows.
    pub fn newest(&self) -> Option<&Key> {
        self.keys.last()
    }

    /// Whether somebody must be added: now, or when the last one's time has come on everybody's clock, nobody
    /// would be left.
    pub fn needs_another(&self) -> bool {
        self.newest().is_none_or(|newest| newest.revoked_at.is_some())
    }

    /// The one that waits for its time.
    pub fn next(&self, now: UnixMs) -> Option<&Key> {
        self.keys.iter().skip(self.turn(now)? + 1).find(|key| key.revoked_at.is_none())
    }

    /// Those that others are to know, in order.
    pub fn serving(&self, rules: Rules, now: UnixMs) -> impl DoubleEndedIterator<Item = &Key> {
        self.keys.iter().filter(move |key| self.state(&key.kid, rules, now).is_some_and(State::serves))
    }

    /// `None`: there is no key of this name.
    pub fn state(&self, kid: &str, rules: Rules, now: UnixMs) -> Option<State> {
        let Some(place) = self.keys.iter().position(|key| key.kid == kid) else {
            return self.dropped.iter().any(|key| key.kid == kid).then_some(State::Revoked);
        };
        if self.keys.get(place)?.revoked_at.is_some() {
            return Some(State::Revoked);
        }
        Some(match self.turn(now) {
            Some(turn) if place == turn => State::Current,
            Some(turn) if place > turn => State::Next,
            _ if self.ends_at(kid, rules).is_none_or(|ends_at| now < ends_at) => State::Overlap,
            _ => State::Ended,
        })
    }

    /// Those that were revoked at or after `since`, whether they had a turn or not.
    pub fn revoked(&self, since: UnixMs) -> impl Iterator<Item = &Key> {
        let keys = self.keys.iter().chain(&self.dropped);
        keys.filter(move |key| key.revoked_at.is_some_and(|revoked_at| revoked_at >= since))
    }

    /// When a key's last work is over. `None`: nothing follows it yet, or there is no such key.
    pub fn ends_at(&self, kid: &str, rules: Rules) -> Option<UnixMs> {
        let place = self.keys.iter().position(|key| key.kid == kid)?;
        Some(self.keys.get(place + 1)?.used_from.saturating_add(rules.overlap_ms))
    }

    /// From when a key that is made now is used: `wanted`, and not before others know it.
    pub fn used_from(&self, rules: Rules, wanted: UnixMs, now: UnixMs) -> UnixMs {
        let after = self.newest().map_or(i64::MIN, |newest| newest.used_from.saturating_add(1));
        wanted.max(now.saturating_add(rules.lead_ms)).max(after)
    }

    /// From when a key that is needed at once is used. Behind the last, whatever another node's clock says:
    /// whoever has its turn, this one comes after.
    pub fn at_once(&self, now: UnixMs) -> UnixMs {
        self.used_from(Rules { lead_ms: 0, overlap_ms: 0 }, now, now)
    }

    /// When the key after this one is to be used by a schedule, if it is time to make it.
    pub fn due(&self, rules: Rules, every_ms: i64, now: UnixMs) -> Option<UnixMs> {
        let wanted = self.newest()?.used_from.saturating_add(every_ms);
        (now >= wanted.saturating_sub(rules.lead_ms) && self.next(now).is_none()).then_some(wanted)
    }

    /// Whose turn it is. A clock that went back finds the first one early.
    fn turn(&self, now: UnixMs) -> Option<usize> {
        let came = self.keys.iter().rposition(|key| key.used_from <= now).unwrap_or(0);
        let after = self.keys.iter().skip(came).position(|key| key.revoked_at.is_none())?;
        Some(came + after)
    }
}
