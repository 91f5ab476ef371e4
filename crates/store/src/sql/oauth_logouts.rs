//! Clients that wait for the end of a session. A row is due when its session ends, or was expected to end.

use super::backend::{Backend, Value};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::oauth::DueLogout;
use domain::UnixMs;
use domain::ids::UserId;

sql! {
    NOTIFY = "INSERT INTO oauth_logouts (session_id, client_id, user_id, tries, next_at)
        SELECT s.id, g.client_id, g.user_id, 0, CASE WHEN s.idle_at < s.ends_at THEN s.idle_at ELSE s.ends_at END
        FROM oauth_grants g JOIN sessions s ON s.id = g.session_id WHERE g.id = $1
        ON CONFLICT (session_id, client_id) DO NOTHING";
    // A session that is no longer stored has ended. One that was extended since is due later, see `POSTPONE`.
    DUE = "SELECT l.session_id, l.client_id, l.user_id, l.tries FROM oauth_logouts l
            LEFT JOIN sessions s ON s.id = l.session_id
        WHERE l.next_at <= $1 AND (s.id IS NULL OR s.revoked_at IS NOT NULL OR s.idle_at <= $1 OR s.ends_at <= $1)
        ORDER BY l.next_at LIMIT $2";
    ENDED = "UPDATE oauth_logouts SET next_at = $2 WHERE tries = 0 AND session_id IN
        (SELECT id FROM sessions WHERE user_id = $1 AND revoked_at = $2)";
    // Without it, the rows of extended sessions would be read again each second.
    POSTPONE = "UPDATE oauth_logouts SET next_at =
            (SELECT CASE WHEN s.idle_at < s.ends_at THEN s.idle_at ELSE s.ends_at END FROM sessions s
                WHERE s.id = oauth_logouts.session_id)
        WHERE (session_id, client_id) IN
            (SELECT l.session_id, l.client_id FROM oauth_logouts l JOIN sessions s ON s.id = l.session_id
                WHERE l.next_at <= $1 AND l.tries = 0 AND s.revoked_at IS NULL AND s.idle_at > $1 AND s.ends_at > $1
                LIMIT $2)
            AND next_at <= $1 AND tries = 0";
    CLAIM = "UPDATE oauth_logouts SET tries = tries + 1, next_at = $4
        WHERE session_id = $1 AND client_id = $2 AND tries = $3";
    FINISH = "DELETE FROM oauth_logouts WHERE session_id = $1 AND client_id = $2";
    // The names of a deleted account were kept for its notices.
    ERASE_SUBJECTS = "DELETE FROM oauth_subjects WHERE user_id = $1
        AND NOT EXISTS (SELECT 1 FROM oauth_logouts WHERE user_id = $1)
        AND NOT EXISTS (SELECT 1 FROM users WHERE id = $1 AND deleted_at IS NULL)";
}

/// Lets the client of a grant wait for the end of its session.
pub(super) async fn notify_client<DB: Backend>(tx: &mut Tx<'_, DB>, grant: &str) -> Result<()> {
    tx.execute(NOTIFY, &[Value::Text(grant)]).await.map(drop)
}

/// Makes due what waits for the sessions of a user that this transaction ended at `now`.
pub(super) async fn logouts_are_due<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId, now: UnixMs) -> Result<()> {
    tx.execute(ENDED, &[Value::Text(user.as_str()), Value::Time(now)]).await.map(drop)
}

pub(super) struct ClaimLogout {
    pub due: DueLogout,
    pub next_at: UnixMs,
}

impl Write for ClaimLogout {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let (session, client) = (Value::Text(self.due.session.as_str()), Value::Text(&self.due.client));
        let values = [session, client, Value::Int(self.due.tries.into()), Value::Time(self.next_at)];
        Ok(tx.execute(CLAIM, &values).await? == 1)
    }
}

pub(super) struct FinishLogout(pub DueLogout);

impl Write for FinishLogout {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(FINISH, &[Value::Text(self.0.session.as_str()), Value::Text(&self.0.client)]).await?;
        tx.execute(ERASE_SUBJECTS, &[Value::Text(self.0.user.as_str())]).await.map(drop)
    }
}
