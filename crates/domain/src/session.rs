//! A session's life: which tokens it still takes.

use crate::UnixMs;

/// How long an unbound session's spent token, and an access token of the last generation, stay good in any case: tabs
/// that were on their way.
pub const GRACE_MS: i64 = 10_000;

/// How long an unbound session's spent token stays good while nobody has shown a token of the generation after it: the
/// answer was lost, and its owner comes back with what there is.
pub const LOST_ANSWER_MS: i64 = 24 * 60 * 60_000;

/// What the rules need to know of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// How many rotations it has seen.
    pub generation: u32,
    /// Hash of the refresh token of this generation.
    pub current: String,
    /// Hash of the one before, once there was one.
    pub previous: Option<String>,
    /// When this generation began.
    pub rotated_at: UnixMs,
    /// The newest generation of which an access token was shown. Nobody writes it down for a bound session, which does
    /// not need it.
    pub used: u32,
    /// Thumbprint of the client's signing key (RFC 7638); `None` for an unbound session.
    pub jkt: Option<String>,
    /// Ends then if it is not used; moved on by each rotation.
    pub idle_at: UnixMs,
    /// Ends then whatever happens.
    pub ends_at: UnixMs,
    /// Signed out, ended from elsewhere, or ended by reuse.
    pub revoked: bool,
}

/// What a presented refresh token gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// The current token: give its successor and move on.
    Rotate,
    /// The token before, from the one who may ask again: give the same successor again.
    Again,
    /// A spent token from anybody else, or too late: end the family.
    Reuse,
    /// The session is over.
    Ended,
    /// The proof of the bound key is missing or another key's: nothing changes.
    WrongKey,
}

impl Session {
    /// Judges a refresh token that was issued here (its MAC is right).
    ///
    /// `jkt` is the thumbprint of the key that the request proved, if it proved one.
    pub fn refresh(&self, generation: u32, hash: &str, jkt: Option<&str>, now: UnixMs) -> Refresh {
        if self.is_over(now) {
            return Refresh::Ended;
        }
        if self.jkt.is_some() && self.jkt.as_deref() != jkt {
            return Refresh::WrongKey;
        }
        if self.is_current(generation, hash) {
            return Refresh::Rotate;
        }
        let predecessor = self.is_previous(generation, hash);
        // A bound session's predecessor needs no clock: its successor's first use rotates again,
        // and from then on it is no longer the predecessor.
        let age = now - self.rotated_at;
        let lost = self.used < self.generation && age <= LOST_ANSWER_MS;
        if predecessor && (self.jkt.is_some() || age <= GRACE_MS || lost) {
            return Refresh::Again;
        }
        Refresh::Reuse
    }

    /// Whether an access token of `generation` is the first of its generation, and that has to be written down.
    pub fn is_first_use(&self, generation: u32) -> bool {
        is_first_use(self.jkt.is_some(), self.generation, self.used, generation)
    }

    /// Whether the hash is that of the current token or of the one before. Nobody else knows their secrets, even somebody
    /// who has the key of their MACs.
    pub fn holds(&self, generation: u32, hash: &str) -> bool {
        self.is_current(generation, hash) || self.is_previous(generation, hash)
    }

    fn is_current(&self, generation: u32, hash: &str) -> bool {
        generation == self.generation && hash == self.current
    }

    fn is_previous(&self, generation: u32, hash: &str) -> bool {
        generation.checked_add(1) == Some(self.generation) && self.previous.as_deref() == Some(hash)
    }

    /// Whether an access token of `generation` is still good; its own expiry is judged elsewhere.
    pub fn takes_access(&self, generation: u32, now: UnixMs) -> bool {
        takes_access(self.generation, self.rotated_at, generation, now) && !self.is_over(now)
    }

    pub fn is_over(&self, now: UnixMs) -> bool {
        self.revoked || now >= self.idle_at || now >= self.ends_at
    }
}

/// The generation rule alone, for caches that keep no more than these numbers: the current
/// generation is good, the one before for [`GRACE_MS`]. One ahead is good too: another node rotated
/// and this one has not heard yet.
pub fn takes_access(current: u32, rotated_at: UnixMs, presented: u32, now: UnixMs) -> bool {
    presented >= current || (presented.checked_add(1) == Some(current) && now - rotated_at <= GRACE_MS)
}

/// The rule of [`Session::is_first_use`] for caches: of an unbound session the first token of the newest generation ends
/// the time in which the answer before it may have been lost.
pub fn is_first_use(bound: bool, current: u32, used: u32, presented: u32) -> bool {
    !bound && presented >= current && presented > used
}
