//! Rows of the audit log.

use crate::guards::client::Client;
use crate::state::AppState;
use domain::UnixMs;
use domain::rate::Rate;
use moka::sync::Cache;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use store::audit::{AuditEntry, AuditEvent};

/// The outcome of a success.
pub const OK: &str = "ok";
/// A successful sign-in from a browser that had not signed in before.
pub const NEW_DEVICE: &str = "new_device";
/// A successful sign-in from a known device at a new address.
pub const NEW_PLACE: &str = "new_place";

/// A password that was not checked, because the account is delayed.
pub const DELAYED: &str = "account_delayed";
/// A one-time code that is wrong, used up or expired.
pub const WRONG_CODE: &str = "wrong_code";

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
    fn may_write(&self, subject: String, now: UnixMs) -> bool {
        if !self.written.entry(subject).or_insert(()).is_fresh() {
            return false;
        }
        let step = |due| Rate::per(NOTES_A_MINUTE, 60_000).take(due, now).ok();
        self.due_at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).is_ok()
    }
}

/// Writes a row about a refusal that no ban follows, at most once a minute for each address and account.
///
/// # Errors
/// The store does not answer.
pub async fn note(state: &AppState, client: &Client, entry: AuditEntry) -> store::Result<()> {
    let user = entry.user.as_deref().unwrap_or_default();
    let subject = [entry.event.as_str(), &entry.outcome, user, &client.client_key.to_string()].join(" ");
    if !state.notes.may_write(subject, entry.at) {
        return Ok(());
    }
    state.store.append(&entry).await
}

pub fn entry(state: &AppState, client: &Client, event: AuditEvent, outcome: &str) -> AuditEntry {
    AuditEntry {
        id: state.ulid(),
        at: state.now(),
        event,
        outcome: outcome.to_owned(),
        user: None,
        session: None,
        address: client.address.to_string(),
        device: client.device(),
        actor: None,
        about: String::new(),
    }
}

/// Builds a row for a scheduled action.
pub fn of_schedule(state: &AppState, event: AuditEvent, about: String) -> AuditEntry {
    AuditEntry { user: None, about, ..of_system(state, event, "") }
}

/// Builds a row without the client, about an account of which only the id remains.
pub fn of_system(state: &AppState, event: AuditEvent, user: &str) -> AuditEntry {
    AuditEntry {
        id: state.ulid(),
        at: state.now(),
        event,
        outcome: OK.to_owned(),
        user: Some(user.to_owned()),
        session: None,
        address: String::new(),
        device: String::new(),
        actor: None,
        about: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_for_each_subject_and_a_bound_for_all() {
        let notes = AuditRowLimit::default();
        assert!(notes.may_write("a".to_owned(), 0));
        assert!(!notes.may_write("a".to_owned(), 1));
        let written = (0..1_000).filter(|n| notes.may_write(n.to_string(), 2)).count();
        assert_eq!(written, 119);
        assert!(notes.may_write("later".to_owned(), 60_000));
    }
}
