//! Changes to an account that end its sessions.

use super::accept::forget_failures;
use super::audit::append;
use super::backend::{Backend, Value};
use super::catalogue::sql;
use super::session_writes::revoke_all;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::Entry;
use crate::users::PasswordHash;
use domain::UnixMs;

sql! {
    SET_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1";
    UPGRADE = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    DISABLE = "UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    ENABLE = "UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL";
}

pub struct SetPassword {
    pub id: String,
    pub account: String,
    pub hash: PasswordHash,
    pub audit: Entry,
    pub now: UnixMs,
}

impl Write for SetPassword {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        if tx.execute(SET_PASSWORD, [Value::Text(&self.id), Value::Text(&self.hash.0)]).await? == 0 {
            return Ok(false);
        }
        revoke_all(tx, &self.id, None, self.now).await?;
        forget_failures(tx, &self.account).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

pub struct UpgradePassword {
    pub id: String,
    pub old: PasswordHash,
    pub new: PasswordHash,
}

impl Write for UpgradePassword {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(&self.id), Value::Text(&self.old.0), Value::Text(&self.new.0)];
        Ok(tx.execute(UPGRADE, values).await? == 1)
    }
}

pub struct SetDisabled {
    pub id: String,
    pub disabled: bool,
    pub audit: Entry,
    pub now: UnixMs,
}

impl Write for SetDisabled {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let changed = if self.disabled {
            tx.execute(DISABLE, [Value::Text(&self.id), Value::Int(self.now)]).await?
        } else {
            tx.execute(ENABLE, [Value::Text(&self.id)]).await?
        };
        if changed == 0 {
            return Ok(false);
        }
        if self.disabled {
            revoke_all(tx, &self.id, None, self.now).await?;
        }
        append(tx, &self.audit).await?;
        Ok(true)
    }
}
