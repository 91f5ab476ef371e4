//! The server's keys over time: the one in use, the next ones, and the replaced ones in their overlap.
//!
//! The keys of a kind form a line, ordered by the time from which each is used. The newest whose time has been reached
//! is in use, until the next one's time. A revoked key is not used; if it was in use, the next one starts early.

use crate::UnixMs;

/// Period that verifiers may cache the public keys.
pub const CACHE_MS: i64 = 300_000;

/// Maximum lifetime of a token or ticket.
pub const LONGEST_TOKEN_MS: i64 = 600_000;

/// Time in which changes reach other nodes, including clock differences.
const PROPAGATION_MS: i64 = 5_000;
const CLOCKS_MS: i64 = 60_000;

/// The rotation rules of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationRules {
    /// Period that a new key is published before it is used.
    pub lead_ms: i64,
    /// Period that a replaced key remains valid.
    pub overlap_ms: i64,
}

impl RotationRules {
    /// The rules of signing keys. The next one is published before it is needed; the old one remains until its last
    /// token has expired.
    pub const SIGNING: Self = Self { lead_ms: CACHE_MS + PROPAGATION_MS, overlap_ms: LONGEST_TOKEN_MS + CLOCKS_MS };

    /// Returns the rules of envelope keys. They are sent with each challenge, so only our own nodes must know a new
    /// one.
    pub fn envelope(overlap_ms: i64) -> Self {
        Self { lead_ms: PROPAGATION_MS, overlap_ms }
    }

    /// Returns the rules of MAC keys. A MAC key verifies for the longest life of a session, so that no refresh token
    /// outlives it. Only Postern's own nodes need it. It is created as early as a signing key, because a node that does
    /// not know it would treat honest values as forgeries.
    pub fn mac(longest_session_ms: i64) -> Self {
        Self { lead_ms: CACHE_MS + PROPAGATION_MS, overlap_ms: longest_session_ms.saturating_add(CLOCKS_MS) }
    }
}

/// The part of a key that the rules need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    pub kid: String,
    pub used_from: UnixMs,
    pub revoked_at: Option<UnixMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerKeyState {
    /// Published, but not used before its time.
    Next,
    Current,
    /// Replaced; its signatures, or what was encrypted to it, are still accepted.
    Overlap,
    Ended,
    Revoked,
}

impl ServerKeyState {
    /// Whether it is published and its results are valid.
    pub fn serves(self) -> bool {
        matches!(self, Self::Next | Self::Current | Self::Overlap)
    }
}

/// All keys of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySchedule {
    /// Keys that were or may be in use, in order.
    keys: Vec<ServerKey>,
    /// Keys that were revoked before they were used.
    dropped: Vec<ServerKey>,
}

impl KeySchedule {
    pub fn new(keys: impl IntoIterator<Item = ServerKey>) -> Self {
        let came = |key: &ServerKey| key.revoked_at.is_none_or(|revoked_at| revoked_at > key.used_from);
        let (mut keys, dropped): (Vec<_>, Vec<_>) = keys.into_iter().partition(came);
        keys.sort_by(|a, b| (a.used_from, &a.kid).cmp(&(b.used_from, &b.kid)));
        Self { keys, dropped }
    }

    /// Returns the key that signs or encrypts now. `None`: none is left ([`Self::needs_another`]).
    pub fn current(&self, now: UnixMs) -> Option<&ServerKey> {
        self.keys.get(self.turn(now)?)
    }

    /// Returns the last in line, revoked or not; a new key follows it.
    pub fn newest(&self) -> Option<&ServerKey> {
        self.keys.last()
    }

    /// Whether a key must be added. Otherwise none would be in use now, or once the last one's time has come on every
    /// clock.
    pub fn needs_another(&self) -> bool {
        self.newest().is_none_or(|newest| newest.revoked_at.is_some())
    }

    /// Returns the waiting key.
    pub fn next(&self, now: UnixMs) -> Option<&ServerKey> {
        self.keys.iter().skip(self.turn(now)? + 1).find(|key| key.revoked_at.is_none())
    }

    /// Returns the published keys in order.
    pub fn serving(&self, rules: RotationRules, now: UnixMs) -> impl DoubleEndedIterator<Item = &ServerKey> {
        self.keys.iter().filter(move |key| self.state(&key.kid, rules, now).is_some_and(ServerKeyState::serves))
    }

    /// Returns the state of a key. `None`: no key has this id.
    pub fn state(&self, kid: &str, rules: RotationRules, now: UnixMs) -> Option<ServerKeyState> {
        let Some(place) = self.keys.iter().position(|key| key.kid == kid) else {
            return self.dropped.iter().any(|key| key.kid == kid).then_some(ServerKeyState::Revoked);
        };
        if self.keys.get(place)?.revoked_at.is_some() {
            return Some(ServerKeyState::Revoked);
        }
        Some(match self.turn(now) {
            Some(turn) if place == turn => ServerKeyState::Current,
            Some(turn) if place > turn => ServerKeyState::Next,
            _ if self.ends_at(kid, rules).is_none_or(|ends_at| now < ends_at) => ServerKeyState::Overlap,
            _ => ServerKeyState::Ended,
        })
    }

    /// Returns the keys that were revoked at or after `since`, used or not.
    pub fn revoked(&self, since: UnixMs) -> impl Iterator<Item = &ServerKey> {
        let keys = self.keys.iter().chain(&self.dropped);
        keys.filter(move |key| key.revoked_at.is_some_and(|revoked_at| revoked_at >= since))
    }

    /// Returns the time when a key's results expire. `None`: it has no successor yet, or does not exist.
    pub fn ends_at(&self, kid: &str, rules: RotationRules) -> Option<UnixMs> {
        let place = self.keys.iter().position(|key| key.kid == kid)?;
        Some(self.keys.get(place + 1)?.used_from + rules.overlap_ms)
    }

    /// Returns the time from which a new key is used: `wanted`, but not before it is known everywhere.
    pub fn used_from(&self, rules: RotationRules, wanted: UnixMs, now: UnixMs) -> UnixMs {
        let after = self.newest().map_or(UnixMs::MIN, |newest| newest.used_from + 1);
        wanted.max(now + rules.lead_ms).max(after)
    }

    /// Returns the time from which an urgent key is used: after the last one, even if another node's clock is ahead.
    pub fn at_once(&self, now: UnixMs) -> UnixMs {
        self.used_from(RotationRules { lead_ms: 0, overlap_ms: 0 }, now, now)
    }

    /// Returns the time for which the successor is scheduled, if it must be made now.
    pub fn due(&self, rules: RotationRules, every_ms: i64, now: UnixMs) -> Option<UnixMs> {
        let wanted = self.newest()?.used_from + every_ms;
        (now >= wanted - rules.lead_ms && self.next(now).is_none()).then_some(wanted)
    }

    /// Returns the index of the key in use. If the clock was set back before the first one, returns that.
    fn turn(&self, now: UnixMs) -> Option<usize> {
        let came = self.keys.iter().rposition(|key| key.used_from <= now).unwrap_or(0);
        let after = self.keys.iter().skip(came).position(|key| key.revoked_at.is_none())?;
        Some(came + after)
    }
}
