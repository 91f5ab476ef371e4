//! Recovery codes: each replaces a second factor once.

use super::audit::append;
use super::backend::{Backend, Value};
use super::remembered_devices::forget_all;
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::recovery_codes::UseRecoveryCode;
use domain::UnixMs;
use domain::ids::UserId;

sql! {
    FORGET_CODES = "DELETE FROM recovery_codes WHERE user_id = $1";
    // A passkey of another host may work again, so it keeps the codes too.
    FORGET_CODES_OF_NOTHING = "DELETE FROM recovery_codes WHERE user_id = $1
        AND NOT EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1)";
    ADD_CODE = "INSERT INTO recovery_codes (user_id, code_hash, created_at) VALUES ($1, $2, $3)";
    IS_CODE = "SELECT COUNT(*) AS n FROM recovery_codes WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL";
    // Locks an unused code, so that it can be used up after the writes that may still fail.
    HOLD_CODE = "UPDATE recovery_codes SET used_at = NULL WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL";
    USE_RECOVERY_CODE = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL";
}

pub(super) struct SetRecoveryCodes {
    pub(super) user: UserId,
    pub(super) hashes: Vec<String>,
    pub(super) audit: AuditEntry,
    pub(super) now: UnixMs,
}

impl Write for SetRecoveryCodes {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        replace_codes(tx, &self.user, &self.hashes, self.now).await?;
        append(tx, &self.audit).await
    }
}

/// Makes these codes the account's only ones.
pub(super) async fn replace_codes<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    user: &UserId,
    hashes: &[String],
    now: UnixMs,
) -> Result<()> {
    tx.execute(FORGET_CODES, &[Value::Text(user.as_str())]).await?;
    for hash in hashes {
        tx.execute(ADD_CODE, &[Value::Text(user.as_str()), Value::Text(hash), Value::Time(now)]).await?;
    }
    Ok(())
}

/// Locks an unused code for the rest of the transaction. `false`: it is unknown or used.
pub(super) async fn lock_code<DB: Backend>(tx: &mut Tx<'_, DB>, used: &UseRecoveryCode) -> Result<bool> {
    Ok(tx.execute(HOLD_CODE, &[Value::Text(used.user.as_str()), Value::Text(&used.code_hash)]).await? == 1)
}

impl Write for UseRecoveryCode {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let values = [Value::Text(self.user.as_str()), Value::Text(&self.code_hash), Value::Time(self.now)];
        let used = tx.execute(USE_RECOVERY_CODE, &values).await? == 1;
        if used {
            // A person who needs one has lost a device, which may be a remembered one.
            forget_all(tx, &self.user).await?;
            append(tx, &self.audit).await?;
        }
        Ok(used)
    }
}
