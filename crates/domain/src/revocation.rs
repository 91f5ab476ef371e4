//! Ended sessions and keys that verifiers must still know.

use crate::UnixMs;
use crate::encoding::{base64url, sha256};
use crate::ids::SessionId;
use crate::server_key::LONGEST_TOKEN_MS;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Clock tolerance. A node with a fast clock may have signed the last access token, and a verifier allows another half
/// minute.
const CLOCKS_MS: i64 = 90_000;

/// Period that an ended session is listed. After it the session's last access token has expired.
pub const REVOCATION_RETENTION_MS: i64 = LONGEST_TOKEN_MS + CLOCKS_MS;

/// Period that a revoked signing key is listed. A verifier may keep the key for a day while this server does not
/// answer, and a thief of the key can write tokens that never expire.
pub const KEY_REVOCATION_RETENTION_MS: i64 = 48 * 60 * 60_000;

/// Returns a session's public mark. It reveals no id, but a holder of the id can find it. With 72 bits, among a hundred
/// thousand ended sessions, a wrong match occurs once in some 10^16 look-ups.
pub fn mark(session: &str) -> String {
    base64url(&sha256(session.as_bytes())[..9])
}

/// The sessions that were ended while their tokens may be valid. A rotation ends no session, and the tokens of an
/// expired session have expired too.
#[derive(Debug, Clone, Default)]
pub struct EndedSessions {
    until: BTreeMap<String, UnixMs>,
    changes: u64,
}

impl EndedSessions {
    /// Adds an ended session. One that is known keeps its time.
    pub fn add(&mut self, session: &SessionId, ended_at: UnixMs, now: UnixMs) {
        let until = ended_at + REVOCATION_RETENTION_MS;
        if now < until
            && let Entry::Vacant(entry) = self.until.entry(mark(session.as_str()))
        {
            entry.insert(until);
            self.changes += 1;
        }
    }

    /// Whether the session was ended recently.
    pub fn contains(&self, session: &SessionId) -> bool {
        self.until.contains_key(&mark(session.as_str()))
    }

    /// Removes sessions whose tokens have expired.
    pub fn forget(&mut self, now: UnixMs) {
        let before = self.until.len();
        self.until.retain(|_, until| now < *until);
        self.changes += u64::from(self.until.len() != before);
    }

    /// Returns the marks in order.
    pub fn marks(&self) -> impl Iterator<Item = &String> {
        self.until.keys()
    }

    /// Increases whenever [`Self::marks`] changes.
    pub fn changes(&self) -> u64 {
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs::from_millis(1_000_000_000);

    #[test]
    fn a_session_is_listed_until_its_last_token_expires() {
        let mut ended = EndedSessions::default();
        ended.add(&"one".into(), NOW, NOW);
        ended.add(&"two".into(), NOW - 60_000, NOW);
        ended.add(&"long ago".into(), NOW - REVOCATION_RETENTION_MS, NOW);
        assert_eq!(ended.marks().count(), 2);
        assert!(ended.marks().any(|known| *known == mark("one")));
        ended.forget(NOW + REVOCATION_RETENTION_MS - 60_000);
        assert_eq!(ended.marks().collect::<Vec<_>>(), [&mark("one")]);
        ended.forget(NOW + REVOCATION_RETENTION_MS - 1);
        assert_eq!(ended.marks().count(), 1);
        ended.forget(NOW + REVOCATION_RETENTION_MS);
        assert_eq!(ended.marks().count(), 0);
    }

    #[test]
    fn only_news_is_a_change() {
        let mut ended = EndedSessions::default();
        ended.add(&"one".into(), NOW, NOW);
        let after = ended.changes();
        // The same end may be reported repeatedly.
        ended.add(&"one".into(), NOW, NOW + 1000);
        ended.forget(NOW + 1000);
        ended.add(&"long ago".into(), NOW - REVOCATION_RETENTION_MS, NOW);
        assert_eq!(ended.changes(), after);
        ended.add(&"two".into(), NOW, NOW);
        assert_eq!(ended.changes(), after + 1);
        ended.forget(NOW + REVOCATION_RETENTION_MS);
        assert_eq!(ended.changes(), after + 2);
    }

    #[test]
    fn a_mark_is_short_and_no_id() {
        assert_eq!(mark("abc").len(), 12);
        assert_ne!(mark("abc"), mark("abd"));
    }
}
