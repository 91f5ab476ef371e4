//! Codes that are used up by the write that they are for.

use super::backend::{Backend, Value};
use super::recovery_codes::lock_code;
use super::statement::sql;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::given_codes::{GivenCode, UsedCode};

sql! {
    // Locks the generator if the code is newer than its last one, so that it can be used up after the writes that may
    // still fail. Of concurrent requests with one code, the others wait for the first one and change nothing.
    HOLD_TOTP = "UPDATE totp SET last_step = last_step
        WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL AND last_step < $3";
    // The only place where a code is accepted.
    USE_CODE = "UPDATE totp SET last_step = $3, drift = $4, used_at = $5
        WHERE id = $1 AND user_id = $2 AND confirmed_at IS NOT NULL AND last_step < $3";
}

/// Locks an unused code for the rest of the transaction. `false`: it is unknown or used.
pub(super) async fn lock_given<DB: Backend>(tx: &mut Tx<'_, DB>, given: &GivenCode) -> Result<bool> {
    match given {
        GivenCode::Totp(UsedCode { id, user, step, .. }) => {
            Ok(tx.execute(HOLD_TOTP, &[Value::Text(id), Value::Text(user.as_str()), Value::Int(*step)]).await? == 1)
        }
        GivenCode::Recovery(code) => lock_code(tx, code).await,
    }
}

/// Uses up a code that [`lock_given`] has locked.
pub(super) async fn use_given<DB: Backend>(tx: &mut Tx<'_, DB>, given: &GivenCode) -> Result<()> {
    match given {
        GivenCode::Totp(UsedCode { id, user, step, drift, now }) => {
            let (id, user) = (Value::Text(id), Value::Text(user.as_str()));
            tx.execute(USE_CODE, &[id, user, Value::Int(*step), Value::Int(*drift), Value::Time(*now)]).await.map(drop)
        }
        GivenCode::Recovery(code) => code.run(tx).await.map(drop),
    }
}
