//! Writes to sessions.

use super::audit::append;
use super::backend::{Backend, Value};
use super::oauth_logouts::logouts_are_due;
use super::remembered_devices::{forget_device_of, forget_other_devices};
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::{AuditEntry, AuditEvent};
use crate::sessions::{NewSession, Rotation};
use domain::UnixMs;
use domain::ids::{SessionId, UserId};

sql! {
    // Runs after the change itself has locked the rows, so that the sequence is locked for as short as possible.
    PUBLISH = "UPDATE sessions SET seq = $3 WHERE user_id = $1 AND changed_at = $2";
    MARK = "UPDATE sessions SET changed_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";
    // Changes nothing, but waits for concurrent writes to the account, and lets later ones wait.
    LOCK_USER = "UPDATE users SET signed_in_at = signed_in_at WHERE id = $1 AND deleted_at IS NULL";
    // Changes nothing either, for a transaction that marks the sessions later.
    LOCK_SESSIONS = "UPDATE sessions SET seq = seq WHERE user_id = $1 AND revoked_at IS NULL";
    // A write instead of a read, so that it conflicts with disabling the user or changing the password at the same
    // time.
    SIGN_IN = "UPDATE users SET signed_in_at = $2
        WHERE id = $1 AND disabled_at IS NULL AND password_hash = COALESCE($3, password_hash)";
    INSERT = "INSERT INTO sessions (id, user_id, generation, refresh_hash, jkt, receiving_key, device, address,
            created_at, used_at, rotated_at, auth_time, changed_at, idle_at, ends_at, methods)
        VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $8, $8, $8, $8, $9, $10, $11)";
    ROTATE = "UPDATE sessions SET generation = generation + 1, previous_hash = refresh_hash, refresh_hash = $4,
            address = $5, idle_at = $6, used_at = $7, rotated_at = $7, changed_at = $8
        WHERE id = $1 AND generation = $2 AND refresh_hash = $3
            AND revoked_at IS NULL AND idle_at > $7 AND ends_at > $7
            AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.disabled_at IS NULL)";
    SHOW = "UPDATE sessions SET used_generation = $2 WHERE id = $1 AND generation >= $2 AND used_generation < $2";
    REVOKE = "UPDATE sessions SET revoked_at = $3, changed_at = $3
        WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL AND idle_at > $3 AND ends_at > $3";
    REVOKE_OTHERS = "UPDATE sessions SET revoked_at = $3, changed_at = $3
        WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL AND idle_at > $3 AND ends_at > $3 RETURNING id";
}

/// Locks the row of an account until the transaction ends. `false`: no such account.
pub(super) async fn lock_user<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<bool> {
    Ok(tx.execute(LOCK_USER, &[Value::Text(user.as_str())]).await? == 1)
}

/// Locks the valid sessions of an account until the transaction ends.
pub(super) async fn lock_sessions<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<()> {
    tx.execute(LOCK_SESSIONS, &[Value::Text(user.as_str())]).await.map(drop)
}

/// Inserts a session. `false`: the user is deleted, disabled, or has another password now.
pub(super) async fn insert_session<DB: Backend>(tx: &mut Tx<'_, DB>, new: &NewSession) -> Result<bool> {
    let judged_by = Value::OptText(new.judged_by.as_ref().map(|hash| hash.0.as_str()));
    if tx.execute(SIGN_IN, &[Value::Text(new.user.as_str()), Value::Time(new.now), judged_by]).await? == 0 {
        return Ok(false);
    }
    let (methods, jkt) = (new.methods.to_string(), new.jkt.map(|jkt| jkt.to_string()));
    let values = [
        Value::Text(new.id.as_str()),
        Value::Text(new.user.as_str()),
        Value::Text(new.refresh_hash.as_str()),
        Value::OptText(jkt.as_deref()),
        Value::OptText(new.receiving_key.as_deref()),
        Value::Text(&new.device),
        Value::Text(&new.address),
        Value::Time(new.now),
        Value::Time(new.idle_at),
        Value::Time(new.ends_at),
        Value::Text(&methods),
    ];
    Ok(tx.execute(INSERT, &values).await? == 1)
}

/// Numbers the sessions of a user that this transaction changed at `now`, for the other nodes.
async fn publish<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId, now: UnixMs) -> Result<()> {
    let seq = sequences::next(tx, Sequence::Sessions).await?;
    tx.execute(PUBLISH, &[Value::Text(user.as_str()), Value::Time(now), Value::Int(seq)]).await.map(drop)
}

/// Ends all live sessions except `keep` and returns their ids. Forgets the other remembered devices.
pub(super) async fn revoke_all<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    user: &UserId,
    keep: Option<&SessionId>,
    now: UnixMs,
) -> Result<Vec<SessionId>> {
    let values = [Value::Text(user.as_str()), Value::Text(keep.map_or("", SessionId::as_str)), Value::Time(now)];
    let ended = tx.all(REVOKE_OTHERS, &values).await?;
    if !ended.is_empty() {
        logouts_are_due(tx, user, now).await?;
        publish(tx, user, now).await?;
    }
    forget_other_devices(tx, user, keep).await?;
    ended.iter().map(|row| Ok(row.text("id")?.into())).collect()
}

/// Marks the valid sessions as changed, so that every node drops what it keeps of them: headers for apps, and answers
/// about tokens of clients.
pub(super) async fn mark_sessions<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId, now: UnixMs) -> Result<()> {
    if tx.execute(MARK, &[Value::Text(user.as_str()), Value::Time(now)]).await? > 0 {
        publish(tx, user, now).await?;
    }
    Ok(())
}

impl Write for Rotation {
    type Output = bool;
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [
            Value::Text(self.id.as_str()),
            Value::Int(self.from_generation.into()),
            Value::Text(self.from_hash.as_str()),
            Value::Text(self.to_hash.as_str()),
            Value::Text(&self.address),
            Value::Time(self.idle_at),
            Value::Time(self.now),
            Value::Time(self.changed_at),
        ];
        Ok(tx.execute(ROTATE, &values).await? == 1)
    }
}

pub(super) struct Show {
    pub id: SessionId,
    pub generation: u32,
}

impl Write for Show {
    type Output = ();
    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(SHOW, &[Value::Text(self.id.as_str()), Value::Int(self.generation.into())]).await.map(drop)
    }
}

pub(super) struct RevokeSession {
    pub user: UserId,
    pub id: SessionId,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for RevokeSession {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(self.user.as_str()), Value::Text(self.id.as_str()), Value::Time(self.now)];
        let ended = tx.execute(REVOKE, &values).await? == 1;
        if ended {
            logouts_are_due(tx, &self.user, self.now).await?;
            publish(tx, &self.user, self.now).await?;
            // A person who ends the session of a device does not trust it. Signing out does not imply that.
            if self.audit.event != AuditEvent::Logout {
                forget_device_of(tx, &self.user, &self.id).await?;
            }
            append(tx, &self.audit).await?;
        }
        Ok(ended)
    }
}

pub(super) struct RevokeOtherSessions {
    pub user: UserId,
    pub keep: Option<SessionId>,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for RevokeOtherSessions {
    type Output = Vec<SessionId>;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Vec<SessionId>> {
        // A session that begins meanwhile with a grant of an ended one must not be overlooked.
        lock_user(tx, &self.user).await?;
        let ended = revoke_all(tx, &self.user, self.keep.as_ref(), self.now).await?;
        if !ended.is_empty() {
            append(tx, &self.audit).await?;
        }
        Ok(ended)
    }
}
