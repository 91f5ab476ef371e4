//! Rows of the audit log.

use crate::client::Client;
use crate::state::{CoreState, DefenceState};
use domain::ids::UserId;
use store::audit::{AuditEntry, AuditEvent};

/// Outcomes by which notices are found.
pub(crate) use store::audit::{TOO_MANY_PROOFS, WRONG_SECOND_FACTOR};
/// The outcome of a success.
pub(crate) const OK: &str = "ok";
/// A successful sign-in from a browser that had not signed in before.
pub(crate) const NEW_DEVICE: &str = "new_device";
/// A successful sign-in from a known device at a new address.
pub(crate) const NEW_PLACE: &str = "new_place";

/// A right password of an account whose second factor is missing yet.
pub(crate) const SECOND_FACTOR_REQUIRED: &str = "second_factor_required";
/// A sign-in with a passkey that was refused; the reason is the row's target.
pub(crate) const PASSKEY_REFUSED: &str = "passkey_refused";

/// A password that was not checked, because the account is delayed.
pub(crate) const DELAYED: &str = "account_delayed";
/// A one-time code that is wrong, used up or expired.
pub(crate) const WRONG_CODE: &str = "wrong_code";

/// Writes a row about a refusal that no ban follows, at most once a minute for each address and account.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn note(state: &DefenceState, client: &Client, entry: AuditEntry) -> store::Result<()> {
    let user = entry.user.as_ref().map_or("", UserId::as_str);
    let subject = [entry.event.as_str(), &entry.outcome, user, &client.client_key.to_string()].join(" ");
    if !state.notes.may_write(subject, entry.at) {
        return Ok(());
    }
    state.store.append(&entry).await
}

pub(crate) fn entry(state: &CoreState, client: &Client, event: AuditEvent, outcome: &str) -> AuditEntry {
    AuditEntry {
        outcome: outcome.to_owned(),
        address: client.address.to_string(),
        device: client.device(),
        ..AuditEntry::new(state.ulid(), state.now(), event)
    }
}

/// Builds a row for a scheduled action.
pub(crate) fn of_schedule(state: &CoreState, event: AuditEvent, about: String) -> AuditEntry {
    AuditEntry { about, ..AuditEntry::new(state.ulid(), state.now(), event) }
}

/// Builds a row without the client, about an account of which only the id remains.
pub(crate) fn of_system(state: &CoreState, event: AuditEvent, user: &UserId) -> AuditEntry {
    AuditEntry { user: Some(user.to_owned()), ..AuditEntry::new(state.ulid(), state.now(), event) }
}
