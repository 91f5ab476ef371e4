//! Tokens of a bound session that were used without its key, and are therefore probably copied.

use crate::audit;
use crate::client::Client;
use crate::state::AppState;
use store::audit::AuditEvent;

/// Period in which equal attempts are one row.
const TOGETHER_MS: i64 = 60 * 60_000;

/// Records the attempt for the owner of the session. A browser that has lost its key looks the same, so it counts
/// for no ban.
///
/// # Errors
/// The store fails.
pub async fn record(state: &AppState, client: &Client, user: &str, session: &str) -> store::Result<()> {
    let mut entry = audit::entry(state, client, AuditEvent::WrongKey, "bad_proof");
    entry.user = Some(user.to_owned());
    entry.session = Some(session.to_owned());
    state.store.append_once(&entry, entry.at - TOGETHER_MS).await
}
