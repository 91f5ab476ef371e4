//! The life of a session: which tokens it accepts.

use crate::UnixMs;
use crate::thumbprint::Thumbprint;
use crate::token_hash::TokenHash;

/// Period that the replaced tokens of an unbound session remain valid in any case. Other tabs may have sent requests
/// with them already.
pub const GRACE_MS: i64 = 10_000;

/// Period that the replaced refresh token of an unbound session remains valid while no token of the next generation was
/// used. The answer may have been lost, and then its owner only has the old token.
pub const LOST_ANSWER_MS: i64 = 24 * 60 * 60_000;

/// The part of a session that the rules need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Number of rotations.
    pub generation: u32,
    /// Hash of the refresh token of this generation.
    pub current: TokenHash,
    /// Hash of the previous one, if any.
    pub previous: Option<TokenHash>,
    /// When this generation began.
    pub rotated_at: UnixMs,
    /// The newest generation of which an access token was used. It is not recorded for bound sessions, which do not
    /// need it.
    pub used: u32,
    /// Thumbprint of the client's signing key (RFC 7638); `None` for an unbound session.
    pub jkt: Option<Thumbprint>,
    /// End of the session if it is not used; each rotation extends it.
    pub idle_at: UnixMs,
    /// End of the session in any case.
    pub ends_at: UnixMs,
    /// Ended by sign-out, remotely, or by reuse.
    pub revoked: bool,
}

/// The decision about a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// The current token: rotate and return its successor.
    Rotate,
    /// The previous token, from a client that may repeat: return the same successor again.
    Again,
    /// A spent token from another client, or too late: end the session.
    Reuse,
    /// The session has ended.
    Ended,
    /// The bound key's proof is missing or by another key: change nothing.
    WrongKey,
}

impl Session {
    /// Checks a refresh token whose MAC was verified.
    ///
    /// `jkt`: the thumbprint of the proven key, if any.
    pub fn refresh(&self, generation: u32, hash: &TokenHash, jkt: Option<Thumbprint>, now: UnixMs) -> Refresh {
        if self.is_over(now) {
            return Refresh::Ended;
        }
        if self.jkt.is_some() && self.jkt != jkt {
            return Refresh::WrongKey;
        }
        if self.is_current(generation, hash) {
            return Refresh::Rotate;
        }
        let predecessor = self.is_previous(generation, hash);
        // A bound session's predecessor needs no clock: the first use of its successor rotates again, and it is then no
        // longer the predecessor.
        let age = now - self.rotated_at;
        let lost = self.used < self.generation && age <= LOST_ANSWER_MS;
        if predecessor && (self.jkt.is_some() || age <= GRACE_MS || lost) {
            return Refresh::Again;
        }
        Refresh::Reuse
    }

    /// Whether an access token of `generation` is the first of its generation, so that its use must be recorded.
    pub fn is_first_use(&self, generation: u32) -> bool {
        is_first_use(self.jkt.is_some(), self.generation, self.used, generation)
    }

    /// Whether the hash is that of the current token or of the previous one. Their secrets are unknown even to a person
    /// who has the key of their MACs.
    pub fn holds(&self, generation: u32, hash: &TokenHash) -> bool {
        self.is_current(generation, hash) || self.is_previous(generation, hash)
    }

    fn is_current(&self, generation: u32, hash: &TokenHash) -> bool {
        generation == self.generation && *hash == self.current
    }

    fn is_previous(&self, generation: u32, hash: &TokenHash) -> bool {
        generation.checked_add(1) == Some(self.generation) && self.previous.as_ref() == Some(hash)
    }

    /// Whether an access token of `generation` is still valid; its own expiry is checked elsewhere.
    pub fn takes_access(&self, generation: u32, now: UnixMs) -> bool {
        takes_access(self.generation, self.rotated_at, generation, now) && !self.is_over(now)
    }

    pub fn is_over(&self, now: UnixMs) -> bool {
        self.revoked || now >= self.idle_at || now >= self.ends_at
    }
}

/// Applies the generation rule alone, for caches with only these numbers. The current generation is valid, and the
/// previous one for [`GRACE_MS`]. The next one is valid too, because another node may have rotated meanwhile.
pub fn takes_access(current: u32, rotated_at: UnixMs, presented: u32, now: UnixMs) -> bool {
    presented >= current || (presented.checked_add(1) == Some(current) && now - rotated_at <= GRACE_MS)
}

/// Whether this is a first use, by the rule of [`Session::is_first_use`] for caches. In an unbound session, the first
/// token of the newest generation shows that the last answer was not lost.
pub fn is_first_use(bound: bool, current: u32, used: u32, presented: u32) -> bool {
    !bound && presented >= current && presented > used
}
