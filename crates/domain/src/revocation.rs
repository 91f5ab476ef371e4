//! Which sessions and keys that ended others still have to hear of.

use crate::UnixMs;
use crate::encoding::{base64url, sha256};
use crate::server_key::LONGEST_TOKEN_MS;
use std::collections::BTreeMap;

/// Room for clocks that differ: the last access token may have been signed by a node whose clock is ahead, and
/// whoever judges it gives it half a minute more.
const CLOCKS_MS: i64 = 90_000;

/// How long an ended session is told of: after that its last access token is over by its own time.
pub const TOLD_MS: i64 = LONGEST_TOKEN_MS + CLOCKS_MS;

/// How long a revoked signing key is told of: whoever has read it before may keep it for a day while this server
/// does not answer, and a thief of the key writes tokens that never end.
pub const KEY_TOLD_MS: i64 = 48 * 60 * 60_000;

/// How a session is named where everybody may read: nobody learns an id from it, and whoever has one finds it.
/// 72 bits: among a hundred thousand ended sessions, one that is not meant is found once in some 10^16 questions.
pub fn mark(session: &str) -> String {
    base64url(&sha256(session.as_bytes())[..9])
}

/// The sessions that somebody ended, as long as a token of theirs may be about. A rotation ends no session; one
/// that ran out by its own time had tokens that did so, too.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    until: BTreeMap<String, UnixMs>,
    changes: u64,
}

impl Ended {
    /// Takes in the end of a session, now or heard of later.
    pub fn add(&mut self, session: &str, ended_at: UnixMs, now: UnixMs) {
        let until = ended_at.saturating_add(TOLD_MS);
        if now < until && self.until.insert(mark(session), until).is_none() {
            self.changes += 1;
        }
    }

    /// Whether somebody ended the session lately.
    pub fn contains(&self, session: &str) -> bool {
        self.until.contains_key(&mark(session))
    }

    /// Drops those whose tokens are over.
    pub fn forget(&mut self, now: UnixMs) {
        let before = self.until.len();
        self.until.retain(|_, until| now < *until);
        self.changes += u64::from(self.until.len() != before);
    }

    /// Their marks, in order.
    pub fn marks(&self) -> impl Iterator<Item = &String> {
        self.until.keys()
    }

    /// Goes up whenever there is another answer to [`Self::marks`].
    pub fn changes(&self) -> u64 {
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = 1_000_000_000;

    #[test]
    fn a_session_is_told_of_until_its_last_token_is_over() {
        let mut ended = Ended::default();
        ended.add("one", NOW, NOW);
        ended.add("two", NOW - 60_000, NOW);
        ended.add("long ago", NOW - TOLD_MS, NOW);
        assert_eq!(ended.marks().count(), 2);
        assert!(ended.marks().any(|known| *known == mark("one")));
        ended.forget(NOW + TOLD_MS - 60_000);
        assert_eq!(ended.marks().collect::<Vec<_>>(), [&mark("one")]);
        ended.forget(NOW + TOLD_MS - 1);
        assert_eq!(ended.marks().count(), 1);
        ended.forget(NOW + TOLD_MS);
        assert_eq!(ended.marks().count(), 0);
    }

    #[test]
    fn only_news_is_a_change() {
        let mut ended = Ended::default();
        ended.add("one", NOW, NOW);
        let after = ended.changes();
        // The same end is heard of again and again.
        ended.add("one", NOW, NOW + 1000);
        ended.forget(NOW + 1000);
        ended.add("long ago", NOW - TOLD_MS, NOW);
        assert_eq!(ended.changes(), after);
        ended.add("two", NOW, NOW);
        assert_eq!(ended.changes(), after + 1);
        ended.forget(NOW + TOLD_MS);
        assert_eq!(ended.changes(), after + 2);
    }

    #[test]
    fn a_mark_is_short_and_no_id() {
        assert_eq!(mark("abc").len(), 12);
        assert_ne!(mark("abc"), mark("abd"));
    }
}
