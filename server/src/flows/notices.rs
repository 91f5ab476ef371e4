//! Notices: security events that the owner sees at the next visit, on every device, until one of them dismisses them.
//!
//! They are rows of the audit log, which are written together with what they report. So no event can happen without its
//! notice.

use super::activity;
use crate::api_error::ApiError;
use crate::state::AppState;
use app::view::Activity;
use domain::ids::UserId;
use store::audit::AuditEntry;

/// Maximum age of a notice. Older events are only in the activity list.
const SHOWN_MS: i64 = 30 * 24 * 60 * 60_000;
/// Maximum number of rows to search. Refusals are among them, so this is far more than the number of notices.
const ROWS: u32 = 500;
const MOST: usize = 20;

/// Returns the notices that the person has not dismissed, newest first.
///
/// # Errors
/// The store fails.
pub async fn unread(state: &AppState, user: &UserId) -> Result<Vec<Activity>, ApiError> {
    let entries = state.store.unread_entries(user, state.now() - SHOWN_MS, ROWS).await?;
    let entries: Vec<_> = entries.into_iter().filter(AuditEntry::is_notice).collect();
    let mut notices = activity::of_entries(state, &entries);
    notices.truncate(MOST);
    Ok(notices)
}

/// Dismisses notices up to a time. A time in the future counts as now, because nothing later was shown.
///
/// # Errors
/// The store fails.
pub async fn dismiss(state: &AppState, user: &UserId, until: i64) -> store::Result<()> {
    state.store.dismiss_entries(user, until.min(state.now())).await
}
