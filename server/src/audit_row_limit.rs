//! A bound on rows of the audit log that cost a client nothing.

use crate::bounded;
use domain::UnixMs;
use domain::rate::{Rate, RateCounter};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Maximum number of rows about refusals that cost a client nothing, per minute and process.
const NOTES_A_MINUTE: u32 = 120;

/// A bound on rows about refusals that no ban follows. Without it, a client could fill the audit log with
/// requests that cost it nothing.
#[derive(Debug)]
pub struct AuditRowLimit {
    written: Cache<String, Arc<RateCounter>>,
    all: RateCounter,
}

impl Default for AuditRowLimit {
    fn default() -> Self {
        Self { written: Cache::new(10_000), all: RateCounter::default() }
    }
}

impl AuditRowLimit {
    /// Returns whether a row may be written: one a minute for each subject, and
    /// [`NOTES_A_MINUTE`] for all of them.
    pub fn may_write(&self, subject: String, now: UnixMs) -> bool {
        let of_subject = bounded::entry(&self.written, &subject, Arc::default);
        of_subject.take(Rate::per(1, 60_000), now).is_ok()
            && self.all.take(Rate::per(NOTES_A_MINUTE, 60_000), now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_for_each_subject_and_a_bound_for_all() {
        let notes = AuditRowLimit::default();
        assert!(notes.may_write("a".to_owned(), UnixMs::EPOCH));
        assert!(!notes.may_write("a".to_owned(), UnixMs::from_millis(1)));
        let written = (0..1_000).filter(|n| notes.may_write(n.to_string(), UnixMs::from_millis(2))).count();
        assert_eq!(written, 119);
        assert!(notes.may_write("later".to_owned(), UnixMs::from_millis(60_000)));
    }

    #[test]
    fn a_flood_of_subjects_does_not_grow_the_table() {
        let notes = AuditRowLimit::default();
        let written = (0..15_000).filter(|n| notes.may_write(n.to_string(), UnixMs::EPOCH)).count();
        // Each part of the table rounds its size up.
        let held = notes.written.len();
        assert!(written == 120 && (1..=11_000).contains(&held), "{written} {held}");
    }
}
