//! A bound on rows of the audit log that cost a client nothing.

use domain::UnixMs;
use domain::rate::Rate;
use moka::sync::Cache;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Maximum number of rows about refusals that cost a client nothing, per minute and process.
const NOTES_A_MINUTE: u32 = 120;

/// A bound on rows about refusals that no ban follows. Without it, a client could fill the audit log with
/// requests that cost it nothing.
#[derive(Debug)]
pub struct AuditRowLimit {
    written: Cache<String, ()>,
    due_at: AtomicI64,
}

impl Default for AuditRowLimit {
    fn default() -> Self {
        let written = Cache::builder().max_capacity(10_000).time_to_live(Duration::from_mins(1)).build();
        Self { written, due_at: AtomicI64::new(0) }
    }
}

impl AuditRowLimit {
    /// Returns whether a row may be written: one a minute for each subject, and
    /// [`NOTES_A_MINUTE`] for all of them.
    pub fn may_write(&self, subject: String, now: UnixMs) -> bool {
        if !self.written.entry(subject).or_insert(()).is_fresh() {
            return false;
        }
        let rate = Rate::per(NOTES_A_MINUTE, 60_000);
        let step = |due| rate.take(UnixMs::from_millis(due), now).ok().map(UnixMs::as_millis);
        self.due_at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).is_ok()
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
}
