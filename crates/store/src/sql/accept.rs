//! Accepts an attempt.

use super::audit::append;
use super::backend::{Backend, Value};
use super::given_codes::{lock_given, use_given};
use super::remembered_devices::{remember, still_remembered};
use super::reservations::release;
use super::second_factors::finish_pending;
use super::session_writes::insert_session;
use super::statement::sql;
use super::strikes;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use crate::attempts::{Acceptance, Attempt};
use domain::ban::Trigger;
use domain::client_key::ClientKey;

sql! {
    FORGIVE_STRIKES = "DELETE FROM strikes WHERE identity = $1 AND cause = $2 AND account = $3";
    FORGIVE_LADDER = "DELETE FROM ladders WHERE identity = $1 AND cause = $2 AND account = $3";
    FORGET_FAILURES = "DELETE FROM account_failures WHERE account = $1";
}

impl Write for Acceptance {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        release(tx, &self.attempt).await?;
        if let Some(pending) = &self.pending
            && !finish_pending(tx, pending, self.now).await?
        {
            return Ok(false);
        }
        if let Some(code) = &self.code
            && !lock_given(tx, code).await?
        {
            return Ok(false);
        }
        if !still_remembered(tx, &self.session.user, &self.memory, self.now).await?
            || !insert_session(tx, &self.session).await?
        {
            return Ok(false);
        }
        if let Some(code) = &self.code {
            use_given(tx, code).await?;
        }
        remember(tx, &self.memory).await?;
        if self.forgive {
            forgive(tx, self.attempt.client_key, &self.account).await?;
        }
        strikes::succeed(tx, self.attempt.client_key, &self.account, self.now).await?;
        append(tx, &self.audit).await?;
        Ok(true)
    }
}

/// Deletes the offences, the ladder and the failures of this client's wrong passwords for the account.
pub(super) async fn forgive<DB: Backend>(tx: &mut Tx<'_, DB>, client_key: ClientKey, account: &str) -> Result<()> {
    let (key, trigger) = (client_key.to_string(), Trigger::InvalidCredentials.as_str());
    let ladder = [Value::Text(&key), Value::Text(trigger), Value::Text(account)];
    tx.execute(FORGIVE_STRIKES, &ladder).await?;
    tx.execute(FORGIVE_LADDER, &ladder).await?;
    let failed = Attempt::failures_of(client_key, account);
    if failed != account {
        forget_failures(tx, &failed).await?;
    }
    forget_failures(tx, account).await
}

/// Deletes the account's failures in a row.
pub(super) async fn forget_failures<DB: Backend>(tx: &mut Tx<'_, DB>, account: &str) -> Result<()> {
    tx.execute(FORGET_FAILURES, &[Value::Text(account)]).await.map(drop)
}
