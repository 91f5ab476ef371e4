//! Sessions that begin with a grant.

use super::audit::append;
use super::backend::{Backend, Value};
use super::session_writes::{insert_session, lock_user, mark_sessions};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth::BeginSession;

sql! {
    // Of concurrent requests, the first one changes the row. Ending the grant's session also ends its right to another one.
    END = "UPDATE oauth_grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND EXISTS
        (SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = oauth_grants.session_id
            AND s.revoked_at IS NULL AND s.idle_at > $2 AND s.ends_at > $2 AND u.disabled_at IS NULL)";
    DATE_BACK = "UPDATE sessions SET auth_time = $2 WHERE id = $1 AND auth_time > $2";
}

impl Write for BeginSession {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        // Before the grant is judged: a change of the password, or the end of all sessions, waits for this lock and then
        // ends the new session too, or has ended the session of the grant.
        if !lock_user(tx, &self.session.user).await? {
            return Ok(false);
        }
        let ended = tx.execute(END, &[Value::Text(&self.grant), Value::Time(self.session.now)]).await?;
        if ended == 0 || !insert_session(tx, &self.session).await? {
            return Ok(false);
        }
        tx.execute(DATE_BACK, &[Value::Text(self.session.id.as_str()), Value::Time(self.authenticated_at)]).await?;
        mark_sessions(tx, &self.session.user, self.session.now).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}
