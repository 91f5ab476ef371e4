//! User keys: one version in use, and earlier ones in their overlap.

use crate::UnixMs;

const HOUR_MS: i64 = 60 * 60_000;

/// Maximum number of new versions of a key within an hour.
pub const MOST_AN_HOUR: usize = 20;

/// One version, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKeyVersion {
    /// 1, 2, 3 ... without gaps.
    pub number: u32,
    pub created_at: UnixMs,
    /// End of validity of a replaced version; `None`: it is in use.
    pub ends_at: Option<UnixMs>,
    pub revoked_at: Option<UnixMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKeyState {
    Current,
    /// Replaced, and still valid for open connections.
    Overlap,
    Ended,
    Revoked,
}

/// The state of the current version after the next one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetiredState {
    /// It remains valid until then.
    Overlap { until: UnixMs },
    /// It ends at once.
    Revoked,
}

impl UserKeyVersion {
    pub fn first(now: UnixMs) -> Self {
        Self { number: 1, created_at: now, ends_at: None, revoked_at: None }
    }

    /// Returns the next version.
    #[must_use]
    pub fn next(&self, now: UnixMs) -> Self {
        Self { number: self.number + 1, ..Self::first(now) }
    }

    /// Returns this version in its replaced state.
    #[must_use]
    pub fn retired(self, retired_state: RetiredState, now: UnixMs) -> Self {
        match retired_state {
            RetiredState::Overlap { until } => Self { ends_at: Some(until), ..self },
            RetiredState::Revoked => Self { ends_at: Some(now), revoked_at: Some(now), ..self },
        }
    }

    pub fn state(&self, now: UnixMs) -> UserKeyState {
        match (self.revoked_at, self.ends_at) {
            (Some(_), _) => UserKeyState::Revoked,
            (None, None) => UserKeyState::Current,
            (None, Some(end)) if now < end => UserKeyState::Overlap,
            (None, Some(_)) => UserKeyState::Ended,
        }
    }

    /// Returns the latest end of a connection that begins now under this version; `None`: it is no longer issued. For
    /// the current version, the end is as if it were replaced now, so that a holder need not ask whether it was.
    pub fn until(&self, now: UnixMs, overlap_ms: i64) -> Option<UnixMs> {
        match self.state(now) {
            UserKeyState::Current => Some(now + overlap_ms),
            UserKeyState::Overlap => self.ends_at,
            UserKeyState::Ended | UserKeyState::Revoked => None,
        }
    }
}

/// Returns the wait for another version in milliseconds, given when the newest [`MOST_AN_HOUR`] were made, newest
/// first.
pub fn wait(made_at: &[UnixMs], now: UnixMs) -> i64 {
    made_at.get(MOST_AN_HOUR - 1).map_or(0, |at| (*at + HOUR_MS).since(now).max(0))
}
