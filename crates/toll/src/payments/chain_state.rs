//! The state of the chain at the last check.

use domain::UnixMs;
use parking_lot::Mutex;

/// The chain at the last check.
#[derive(Debug, Default)]
pub(super) struct ChainState {
    pub(super) tip: Mutex<Option<Tip>>,
    /// The last transaction of those in no block that was queried.
    pub(super) after: Mutex<String>,
    looks: Mutex<CheckResults>,
    /// The results of the last checks of the verifier.
    verifier: Mutex<CheckResults>,
}

/// The results of the last checks.
#[derive(Debug, Clone, Copy, Default)]
struct CheckResults {
    seen_at: Option<UnixMs>,
    failed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tip {
    pub height: i64,
    pub hash: String,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Node(#[from] monero::Error),
}

/// Period without a successful check after which payments cannot be found: some two checks in a row have failed.
const AWAY_MS: i64 = 5_000;

impl CheckResults {
    fn note<T, E>(&mut self, looked: &Result<T, E>, now: UnixMs) {
        self.failed = looked.is_err();
        if looked.is_ok() {
            self.seen_at = Some(now);
        }
    }

    fn is_away(self, now: UnixMs) -> bool {
        self.failed && self.seen_at.is_none_or(|seen_at| now.since(seen_at) >= AWAY_MS)
    }
}

impl ChainState {
    /// Whether no payment could be found now: no node that is in sync answers, or the store does not answer.
    pub(super) fn is_away(&self, now: UnixMs) -> bool {
        self.looks.lock().is_away(now)
    }

    /// Returns the time of the last successful check.
    pub(super) fn seen_at(&self) -> Option<UnixMs> {
        self.looks.lock().seen_at
    }

    /// Records the result of a check.
    pub(super) fn note<T>(&self, looked: &Result<T, Error>, now: UnixMs) {
        self.looks.lock().note(looked, now);
    }

    /// Records the result of a check of the verifier.
    pub(super) fn note_verifier(&self, checked: &Result<(), monero::Error>, now: UnixMs) {
        self.verifier.lock().note(checked, now);
    }

    /// Whether the verifier does not answer, so that no payment could be verified.
    pub(super) fn verifier_is_away(&self, now: UnixMs) -> bool {
        self.verifier.lock().is_away(now)
    }

    /// Returns the number of blocks; 0 while unknown.
    pub(super) fn height(&self) -> i64 {
        self.tip.lock().as_ref().map_or(0, |tip| tip.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_that_fails_is_no_node_that_is_away() {
        let looks = |seen_at, failed| CheckResults { seen_at, failed };
        for (looks, now, away) in [
            (looks(None, false), 9_000, false),
            (looks(None, true), 0, true),
            (looks(Some(UnixMs::from_millis(1_000)), true), 5_999, false),
            (looks(Some(UnixMs::from_millis(1_000)), true), 6_000, true),
            (looks(Some(UnixMs::from_millis(1_000)), false), 60_000, false),
        ] {
            assert_eq!(looks.is_away(UnixMs::from_millis(now)), away, "{looks:?} {now}");
        }
    }
}
