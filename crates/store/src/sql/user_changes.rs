//! Changes to an existing account.

use super::accept::forget_failures;
use super::audit::append;
use super::backend::{Backend, Value};
use super::fresh_proofs::forgive_proofs;
use super::mail_links::erase_proof;
use super::mail_rows::erase_mails;
use super::named_locks::lock_named;
use super::profiles::leave_groups;
use super::remembered_devices::forget_all;
use super::reservations::release;
use super::second_factors::erase_second_factors;
use super::session_writes::{mark_sessions, revoke_all};
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::users::{ChangeOutcome, DeleteUser, NewPassword, PasswordHash, SetPassword};
use domain::UnixMs;
use domain::account::Role;
use domain::ids::{SessionId, UserId};

sql! {
    SET_PASSWORD = "UPDATE users SET password_hash = $2, imported_parameters = NULL WHERE id = $1 AND deleted_at IS NULL";
    // Only if the checked password is still current.
    CHANGE_PASSWORD = "UPDATE users SET password_hash = $3, imported_parameters = NULL
        WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL";
    DISABLE = "UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    ENABLE = "UPDATE users SET disabled_at = NULL
        WHERE id = $1 AND disabled_at IS NOT NULL AND deleted_at IS NULL";
    SET_ROLE = "UPDATE users SET role = $2 WHERE id = $1 AND role <> $2 AND deleted_at IS NULL";
    OTHER_ADMINISTRATORS = "SELECT COUNT(*) AS n FROM users
        WHERE role = 'administrator' AND disabled_at IS NULL AND id <> $1";
    IS_ADMINISTRATOR = "SELECT COUNT(*) AS n FROM users
        WHERE role = 'administrator' AND disabled_at IS NULL AND id = $1";
    ERASE = "UPDATE users SET name = '', name_key = $2, skeleton = '', password_hash = '', role = 'user', signed_in_at = NULL,
            display_name = NULL, display_key = NULL, email = NULL, email_key = NULL, email_state = NULL,
            imported_parameters = NULL, disabled_at = $3, deleted_at = $3
        WHERE id = $1 AND deleted_at IS NULL";
    ERASE_SESSIONS = "UPDATE sessions SET device = '', address = '' WHERE user_id = $1";
    ERASE_AUDIT = "UPDATE audit SET device = '', address = '' WHERE user_id = $1 OR actor = $1";
    END_RESET = "DELETE FROM resets WHERE user_id = $1";
    END_RESETS_MADE = "DELETE FROM resets WHERE made_by = $1";
    END_INVITATIONS_MADE = "UPDATE invitations SET revoked_at = $2, email = NULL
        WHERE made_by = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2";
    ERASE_PASSKEYS = "DELETE FROM passkeys WHERE user_id = $1";
    ERASE_HANDLE = "DELETE FROM passkey_handles WHERE user_id = $1";
    ERASE_NOTICES = "DELETE FROM notices_read WHERE user_id = $1";
    ERASE_CONSENTS = "DELETE FROM oauth_consents WHERE user_id = $1";
    // A client waiting for a session's end is notified under the name it knows.
    ERASE_SUBJECTS = "DELETE FROM oauth_subjects WHERE user_id = $1
        AND NOT EXISTS (SELECT 1 FROM oauth_logouts WHERE user_id = $1)";
    ERASE_USER_KEYS = "DELETE FROM user_keys WHERE user_id = $1";
}

impl Write for SetPassword {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(SET_PASSWORD, &[Value::Text(self.user.as_str()), Value::Text(&self.hash.0)]).await? == 0 {
            return Ok(false);
        }
        revoke_all(tx, &self.user, None, self.now).await?;
        tx.execute(END_RESET, &[Value::Text(self.user.as_str())]).await?;
        end_links_made(tx, &self.user, self.now).await?;
        forget_failures(tx, &self.account).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

impl Write for NewPassword {
    type Output = Option<Vec<SessionId>>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<Vec<SessionId>>> {
        release(tx, &self.attempt).await?;
        let values = [Value::Text(self.user.as_str()), Value::Text(&self.judged_by.0), Value::Text(&self.hash.0)];
        if tx.execute(CHANGE_PASSWORD, &values).await? == 0 {
            return Ok(None);
        }
        let ended = revoke_all(tx, &self.user, Some(&self.keep), self.now).await?;
        forgive_proofs(tx, &self.keep).await?;
        forget_all(tx, &self.user).await?;
        // The holder of an older link must not be able to undo the owner's change.
        tx.execute(END_RESET, &[Value::Text(self.user.as_str())]).await?;
        end_links_made(tx, &self.user, self.now).await?;
        forget_failures(tx, &self.account).await?;
        append(tx, &self.audit).await?;
        Ok(Some(ended))
    }
}

pub(super) struct UpgradePassword {
    pub id: UserId,
    pub old: PasswordHash,
    pub new: PasswordHash,
}

impl Write for UpgradePassword {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(self.id.as_str()), Value::Text(&self.old.0), Value::Text(&self.new.0)];
        Ok(tx.execute(CHANGE_PASSWORD, &values).await? == 1)
    }
}

pub(super) struct SetDisabled {
    pub id: UserId,
    pub disabled: bool,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for SetDisabled {
    type Output = ChangeOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<ChangeOutcome> {
        if self.disabled && is_last_administrator(tx, &self.id, self.now).await? {
            return Ok(ChangeOutcome::LastAdministrator);
        }
        let changed = if self.disabled {
            tx.execute(DISABLE, &[Value::Text(self.id.as_str()), Value::Time(self.now)]).await?
        } else {
            tx.execute(ENABLE, &[Value::Text(self.id.as_str())]).await?
        };
        if changed == 0 {
            return Ok(ChangeOutcome::Nothing);
        }
        let mut ended = Vec::new();
        if self.disabled {
            ended = revoke_all(tx, &self.id, None, self.now).await?;
            tx.execute(END_RESET, &[Value::Text(self.id.as_str())]).await?;
            end_links_made(tx, &self.id, self.now).await?;
        }
        append(tx, &self.audit).await?;
        Ok(ChangeOutcome::Done { ended })
    }
}

pub(super) struct SetRole {
    pub id: UserId,
    pub role: Role,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

impl Write for SetRole {
    type Output = ChangeOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<ChangeOutcome> {
        if self.role != Role::Administrator && is_last_administrator(tx, &self.id, self.now).await? {
            return Ok(ChangeOutcome::LastAdministrator);
        }
        if tx.execute(SET_ROLE, &[Value::Text(self.id.as_str()), Value::Text(self.role.as_str())]).await? == 0 {
            return Ok(ChangeOutcome::Nothing);
        }
        mark_sessions(tx, &self.id, self.now).await?;
        // A link that was made under the old role must not be valid for the new one.
        tx.execute(END_RESET, &[Value::Text(self.id.as_str())]).await?;
        if self.role != Role::Administrator {
            end_links_made(tx, &self.id, self.now).await?;
        }
        append(tx, &self.audit).await?;
        Ok(ChangeOutcome::Done { ended: Vec::new() })
    }
}

impl Write for DeleteUser {
    type Output = ChangeOutcome;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<ChangeOutcome> {
        if let Some(attempt) = &self.attempt {
            release(tx, attempt).await?;
        }
        if is_last_administrator(tx, &self.user, self.now).await? {
            return Ok(ChangeOutcome::LastAdministrator);
        }
        // A valid name has no colon, so nobody can sign in under this one, and the old name is free.
        let name_key = format!("deleted:{}", self.user);
        let values = [Value::Text(self.user.as_str()), Value::Text(&name_key), Value::Time(self.now)];
        if tx.execute(ERASE, &values).await? == 0 {
            return Ok(ChangeOutcome::Nothing);
        }
        // The rows remain for a while, because other nodes read the end of the sessions from them.
        let ended = revoke_all(tx, &self.user, None, self.now).await?;
        let rows = [ERASE_SESSIONS, ERASE_AUDIT, END_RESET, ERASE_USER_KEYS, ERASE_PASSKEYS, ERASE_HANDLE];
        for sql in rows.into_iter().chain([ERASE_NOTICES, ERASE_CONSENTS, ERASE_SUBJECTS]) {
            tx.execute(sql, &[Value::Text(self.user.as_str())]).await?;
        }
        leave_groups(tx, &self.user).await?;
        erase_mails(tx, &self.user).await?;
        erase_proof(tx, &self.user).await?;
        erase_second_factors(tx, &self.user).await?;
        end_links_made(tx, &self.user, self.now).await?;
        forget_failures(tx, &self.account).await?;
        append(tx, &self.audit).await?;
        Ok(ChangeOutcome::Done { ended })
    }
}

/// Ends the one-time links that this user made for others. After a lost role, the user could return under another name
/// with an invitation. After a new password, a person who knew the old one may have made the links.
pub(super) async fn end_links_made<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId, now: UnixMs) -> Result<()> {
    tx.execute(END_RESETS_MADE, &[Value::Text(user.as_str())]).await?;
    tx.execute(END_INVITATIONS_MADE, &[Value::Text(user.as_str()), Value::Time(now)]).await.map(drop)
}

/// Whether no administrator would be left without this user. Takes a named lock, so that two administrators cannot
/// remove each other at the same time.
async fn is_last_administrator<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId, now: UnixMs) -> Result<bool> {
    lock_named(tx, "administrators", now).await?;
    Ok(tx.count(IS_ADMINISTRATOR, &[Value::Text(user.as_str())]).await? > 0
        && tx.count(OTHER_ADMINISTRATORS, &[Value::Text(user.as_str())]).await? == 0)
}
