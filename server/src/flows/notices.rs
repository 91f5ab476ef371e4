//! Notices: security events that the owner sees at the next visit, on every device, until they are dismissed there.
//!
//! They are rows of the audit log, which are written together with what they report. So no event can happen without its
//! notice. A dismissal is for one device: a thief with a session must not be able to hide them from the owner.

use super::activity;
use crate::api_error::ApiError;
use crate::guards::signed_in::SignedIn;
use crate::state::CoreState;
use app::view::{Activity, ActivityEvent};
use domain::UnixMs;
use store::audit::AuditEntry;

/// Maximum age of a notice. Older events are only in the activity list.
pub const SHOWN_MS: i64 = 30 * 24 * 60 * 60_000;
/// Maximum number of rows to search.
const ROWS: u32 = 500;
const MOST: usize = 50;
/// Period in which wrong codes after the right password are one notice.
const WRONG_CODES_MS: i64 = 60 * 60_000;

/// Returns the notices that the person has not dismissed on this device, newest first.
///
/// # Errors
/// The store fails.
pub async fn unread(state: &CoreState, session: &SignedIn) -> Result<Vec<Activity>, ApiError> {
    let (user, since) = (&session.claims.sub, state.now() - SHOWN_MS);
    let entries = state.store.unread_notices(user, &device(session), since, ROWS).await?;
    let entries: Vec<_> = entries.into_iter().filter(AuditEntry::is_notice).collect();
    let mut notices = without_repeated_codes(activity::of_entries(state, &entries));
    notices.truncate(MOST);
    Ok(notices)
}

/// Dismisses notices up to a time, on this device. A time in the future counts as now, because nothing later was shown.
///
/// # Errors
/// The store fails.
pub async fn dismiss(state: &CoreState, session: &SignedIn, until: UnixMs) -> store::Result<()> {
    state.store.dismiss_notices(&session.claims.sub, &device(session), until.min(state.now())).await
}

/// Returns what a dismissal is stored under: the key of the device, which outlives a session, or the session.
fn device(session: &SignedIn) -> String {
    session.jkt().map_or_else(|| session.claims.sid.to_string(), |jkt| jkt.to_string())
}

/// Keeps one notice of wrong codes in each hour. The list of activity has all of them.
fn without_repeated_codes(lines: Vec<Activity>) -> Vec<Activity> {
    let mut newest: Option<i64> = None;
    let is_kept = |line: &Activity| {
        let is_repeated = newest.is_some_and(|newest| newest - line.at < WRONG_CODES_MS);
        if line.event == ActivityEvent::WrongFactor && !is_repeated {
            newest = Some(line.at);
        }
        line.event != ActivityEvent::WrongFactor || !is_repeated
    };
    lines.into_iter().filter(is_kept).collect()
}
